"""What Prometheus and Grafana are given: files that they can read, and queries that name only what nodes tell."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))

from common import Dealer, free_ports, main, wait_until  # noqa: E402
from http_ring import ROOT, HttpRing, promtool, run_tool  # noqa: E402

OBSERVE = os.path.join(ROOT, "compose", "observe")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def dashboard_queries():
    dashboard = json.loads(read("compose", "observe", "grafana", "dashboards", "anel.json"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


class Prometheus:
    """A real one, with the configuration of the compose profile, but other targets and less patience."""

    def __init__(self, targets):
        self.port = free_ports(1)[0]
        self.folder = tempfile.TemporaryDirectory(prefix="anel-prometheus-")
        text = read("compose", "observe", "prometheus.yml")
        text = re.sub(r"(scrape|evaluation)_interval: \S+", r"\1_interval: 200ms", text)
        text = re.sub(r"(?m)^ +- cluster_sync_\d+:\d+\n", "", text)
        text += "".join(f"          - {target}\n" for target in targets)
        # Those that wait a minute would keep a test waiting as long.
        alarms = re.sub(r"for: 1m", "for: 0s", read("compose", "observe", "alarms.yml"))
        for name, content in (("prometheus.yml", text), ("alarms.yml", alarms)):
            with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
                file.write(content)
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [os.path.join(os.path.dirname(promtool()), "prometheus"), f"--config.file={self.folder.name}/prometheus.yml",
             f"--storage.tsdb.path={self.folder.name}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def ask(self, path, **arguments):
        """What it answers; None: it does not yet."""
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(f"Prometheus ended: {self.log.read()}")
        try:
            url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise AssertionError(f"{arguments}: {error.read().decode()}") from error
        except OSError:
            return None

    def values(self, query):
        answer = self.ask("query", query=query)
        return [float(sample["value"][1]) for sample in answer["result"]] if answer else []

    def alarms(self):
        """{(name, instance)} of those that fire."""
        answer = self.ask("alerts") or {"alerts": []}
        return {(alert["labels"]["alertname"], alert["labels"].get("instance"))
                for alert in answer["alerts"] if alert["state"] == "firing"}


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
        queries = dashboard_queries()
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

    def test_a_real_prometheus_draws_the_dashboard_and_sounds_the_alarms_of_a_killed_node(self):
        with HttpRing(3) as ring:
            ring.wait_healthy()
            targets = [f"127.0.0.1:{port}" for port in ring.http]
            with Prometheus(targets) as prometheus, Dealer(ring, 0, "counted", 7) as client:
                wait_until(lambda: prometheus.values("sum(up)") == [3], 30, "Prometheus has asked all nodes")
                self.assertEqual(prometheus.alarms(), set())
                client.hello()
                for number in range(1, 4):
                    client.push(number, [[0, b"counted"]])
                    client.receive_ack(number)
                wait_until(lambda: prometheus.values("max(anel_sequence)") == [3], 30, "the messages are counted")
                for query in dashboard_queries():
                    query = query.replace("$__rate_interval", "1m")
                    wait_until(lambda query=query: prometheus.values(query), 30, f"{query} has an answer")
                ring.nodes[2].kill()
                wanted = {("AnelNotAnswering", targets[2]), ("AnelNodeGone", targets[0]), ("AnelNodeGone", targets[1])}
                wait_until(lambda: prometheus.alarms() == wanted, 30, "who is gone and who misses it is told")
                ring.nodes[2].start()
                wait_until(lambda: prometheus.alarms() == set(), 30, "and that all are there again")

    def test_each_alarm_sounds_when_it_should_and_not_before(self):
        # series of an instance, a value each 10 s; {alarm: when it is silent, and when it sounds}
        series = {
            'anel_taking_pushes{instance="a"}': "1x5 0x60",
            'anel_members{instance="a"}': "5x5 4x60",
            'anel_configured{instance="a"}': "5x66",
            'up{job="anel",instance="a"}': "1x5 0x60",
            'anel_round{instance="a"}': "1+1x66",
            'anel_durable_round{instance="a"}': "1+1x5 6x60",
            'anel_rounds_disk_full_total{instance="a"}': "0x5 1x60",
            'anel_views_total{instance="a"}': "1x5 9x60",
            'anel_rejects_total{instance="a"}': "0x5 1x60",
        }
        sounds = {"AnelRefusesClients": "80s", "AnelNodeGone": "130s", "AnelNotAnswering": "130s",
                  "AnelNotDurable": "100s", "AnelDiskFull": "70s", "AnelViewsChange": "70s", "AnelRejects": "70s"}
        named = re.findall(r"alert: (\w+)", read("compose", "observe", "alarms.yml"))
        self.assertEqual(set(named), set(sounds))
        rules = os.path.join(OBSERVE, "alarms.yml")
        for alarm, late in sounds.items():
            text = re.search(rf"alert: {alarm}\n(?: +#.*\n)?(?: +.*\n)*? +annotations: {{summary: \"(.*)\"}}",
                             read("compose", "observe", "alarms.yml")).group(1).replace("{{ $labels.instance }}", "a")
            labels = {} if alarm == "AnelNotDurable" else {"instance": "a"}
            labels |= {"job": "anel"} if alarm == "AnelNotAnswering" else {}
            sounding = [{"exp_labels": labels, "exp_annotations": {"summary": text}}]
            test = {"rule_files": [rules], "evaluation_interval": "10s", "tests": [{
                "interval": "10s",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": "50s", "alertname": alarm, "exp_alerts": []},
                                    {"eval_time": late, "alertname": alarm, "exp_alerts": sounding}]}]}
            with self.subTest(alarm=alarm), tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
                json.dump(test, file)
                file.flush()
                run_tool(self, promtool(), "test", "rules", file.name)

    def test_the_alarms_are_those_of_the_document(self):
        documented = read("docs", "OPERATIONS.md").split("### Alarms")[1].split("\n## ")[0]
        for metric in set(re.findall(r"anel_\w+", read("compose", "observe", "alarms.yml"))):
            self.assertIn(metric, documented)


if __name__ == "__main__":
    main()
