"""A headless Chromium, spoken to by its own protocol over one websocket: open, ask, press keys, take pictures."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import websocket  # python3-websocket

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*"]
START_SECONDS = 150  # on a busy machine


class Browser:
    """One page of a browser of its own."""

    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            raise AssertionError("chromium is not there: ./dev page installs it")
        self.folder = tempfile.mkdtemp(prefix="anel-chromium-")
        self.complaints = []  # what the page said on its console, or failed to load
        self.number = 0
        self.process = subprocess.Popen([program, *FLAGS, f"--user-data-dir={self.folder}", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            self.socket = websocket.create_connection(self.address(), timeout=START_SECONDS, suppress_origin=True)
            target = self.browser_call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.browser_call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(domain + ".enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # Its helpers are in its session; all of them were started here.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self):
        deadline = time.monotonic() + START_SECONDS
        path = os.path.join(self.folder, "DevToolsActivePort")
        while True:
            try:
                with open(path, encoding="ascii") as file:
                    port, where = file.read().split()
                return f"ws://127.0.0.1:{port}{where}"
            except (OSError, ValueError):
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError("chromium did not start")
            time.sleep(0.05)

    # --- the protocol -------------------------------------------------------------------------------
    def browser_call(self, method, **parameters):
        return self.exchange({"method": method, "params": parameters})

    def call(self, method, **parameters):
        return self.exchange({"method": method, "params": parameters, "sessionId": self.session})

    def exchange(self, message):
        self.number += 1
        self.socket.send(json.dumps(dict(message, id=self.number)))
        while True:
            said = json.loads(self.socket.recv())
            if said.get("id") == self.number:
                if "error" in said:
                    raise AssertionError(f"{message['method']}: {said['error']}")
                return said["result"]
            self.listen(said)

    def listen(self, said):
        method, parameters = said.get("method"), said.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))

    # --- what tests need ----------------------------------------------------------------------------
    def open(self, url):
        self.call("Page.navigate", url=url)

    def ask(self, expression):
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key, code=None, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13, " ": 32}[key], text=text if kind == "keyDown" else "")

    def screen(self, width, height, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                  mobile=phone)

    def prefer(self, **features):
        """prefer(color_scheme="dark", reduced_motion="reduce")"""
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()])

    def picture(self, path, whole=True):
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))
