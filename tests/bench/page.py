"""docs/PERFORMANCE.md: what stands between two markers of one name is rewritten, everything else is people's."""

import re


class NoMarkers(Exception):
    """The page has no place for a table; the text names it."""


def rewritten(text, tables):
    for name, table in tables.items():
        begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
        place = re.compile(re.escape(begin) + r"\n.*?" + re.escape(end), re.DOTALL)
        if not place.search(text):
            raise NoMarkers(f"no place for the table '{name}': {begin} ... {end}")
        text = place.sub(lambda _, table=table, begin=begin, end=end: f"{begin}\n{table}\n{end}", text)
    return text


def rewrite(path, tables):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(rewritten(text, tables))
