"""What the clients of a chaos run say: a function of the client's name and the message's number alone, so the judge
knows every message without being told."""

import hashlib

# What an output that trusts its clients would fall for.
HOSTILE = (b"\n" + b"#" * 56 + b"\n", b"\nContainer 1 \nMensagem: forged", b"back\\slash \\n \\x41",
           b"\x00\x01\x1b[2J\x7f", b"\xff\xfe\xc3", b"\xe2\x80\xa8\xc2\x85", b"\r\n\t", "olá, anel".encode(), b"   ")


def digest(client_id, number):
    return hashlib.blake2b(b"%s/%d" % (client_id.encode(), number), digest_size=32).digest()


def payload(client_id, number, one_line=False):
    """`one_line`: without line feeds, for clients that push lines."""
    chance = digest(client_id, number)
    text = b"%s %d " % (client_id.encode(), number)
    if chance[0] < 32:
        text += HOSTILE[chance[1] % len(HOSTILE)] + chance[2:8]
    elif chance[0] < 34:
        text += chance.hex().encode() * (chance[1] * 2)
    else:
        text += chance.hex().encode()[:chance[1] % 48]
    return text.replace(b"\n", b"~") if one_line else text


def timestamp(client_id, number):
    """In no order at all: a client's own order must win over it."""
    return int.from_bytes(digest(client_id, number)[8:12], "big") % 1000


def parse_name(text):
    """(client id, number) at the beginning of a payload."""
    client_id, number, _ = text.split(b" ", 2)
    return client_id.decode(), int(number)
