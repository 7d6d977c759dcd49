"""The figures of all rows, kept in one file: a row that is measured again replaces the one before."""

import json
import os
import statistics


class Results:
    def __init__(self, path):
        self.path = path
        self.all = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.all = json.load(file)

    def put(self, name, runs, **about):
        self.all[name] = {"runs": runs, **about}
        self.save()

    def put_absent(self, name, why):
        self.all[name] = {"runs": [], "absent": why}
        self.save()

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.all, file, indent=1)
        os.replace(self.path + ".new", self.path)

    def values(self, name, *path):
        """The figure at `path` of each run of a row; an empty list where there is none."""
        found = []
        for run in self.all.get(name, {}).get("runs", []):
            for key in path:
                run = run[key]
            found.append(run)
        return found

    def median(self, name, *path):
        values = self.values(name, *path)
        return statistics.median(values) if values else None
