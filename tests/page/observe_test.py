"""What Prometheus and Grafana are given: files that they can read, and queries that name only what nodes tell."""

import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))

from common import main  # noqa: E402
from http_ring import ROOT, HttpRing, promtool, run_tool  # noqa: E402

OBSERVE = os.path.join(ROOT, "compose", "observe")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Observe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with HttpRing(1) as ring:
            ring.wait_healthy()
            # The names as they are asked for: a histogram is asked for by its parts.
            cls.names = {re.sub(r"\{.*", "", name) for name in ring.metrics()}

    def assert_known(self, query):
        asked = set(re.findall(r"\banel_\w+", query))
        self.assertTrue(asked or query.startswith("up{"), query)
        self.assertEqual(asked - self.names, set(), query)

    def test_prometheus_reads_its_configuration_and_its_alarms(self):
        run_tool(self, promtool(), "check", "config", os.path.join(OBSERVE, "prometheus.yml"))
        rules = read("compose", "observe", "alarms.yml")
        queries = re.findall(r"expr: (.*)", rules)
        self.assertGreater(len(queries), 5)
        for query in queries:
            self.assert_known(query)

    def test_the_dashboard_asks_for_metrics_that_exist(self):
        dashboard = json.loads(read("compose", "observe", "grafana", "dashboards", "anel.json"))
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(queries), 15)
        for query in queries:
            self.assert_known(query)
        # Whether they are queries at all, Prometheus can tell when they stand in a file of rules.
        rules = {"groups": [{"name": "dashboard", "rules": [
            {"record": f"query:{index}", "expr": query.replace("$__rate_interval", "1m")}
            for index, query in enumerate(queries)]}]}
        run_tool(self, promtool(), "check", "rules", "/dev/stdin", input=json.dumps(rules))

    def test_prometheus_asks_the_nodes_of_the_compose_file(self):
        compose = read("compose", "docker-compose.yml")
        nodes = re.findall(r"(?m)^  (cluster_sync_\d+):$", compose)
        port = re.search(r"ANEL_HTTP_PORT: (\d+)", compose).group(1)
        targets = re.findall(r"(?m)^ +- (cluster_sync_\d+:\d+)$", read("compose", "observe", "prometheus.yml"))
        self.assertEqual(targets, [f"{node}:{port}" for node in nodes])
        self.assertEqual(len(targets), 5)

    def test_the_alarms_are_those_of_the_document(self):
        documented = read("docs", "OPERATIONS.md").split("### Alarms")[1].split("\n## ")[0]
        for metric in set(re.findall(r"anel_\w+", read("compose", "observe", "alarms.yml"))):
            self.assertIn(metric, documented)


if __name__ == "__main__":
    main()
