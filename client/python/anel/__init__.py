"""Push messages to a ring of Anel nodes; learn of each when it is durable. `anel.aio` is the same for asyncio."""

from .client import Client
from .options import Options
from .outcome import Closed, Durable, Error, Refused, Unknown

__all__ = ["Client", "Closed", "Durable", "Error", "Options", "Refused", "Unknown"]
