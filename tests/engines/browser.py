"""Opens a page in Chromium and does what the lines of a script say, through the DevTools protocol over pipes: no network is
needed, and each message ends with a NUL.

usage: browser.py PAGE STEPS     STEPS is a JSON list; prints a JSON list with the result of each

  {"size": [WIDTH, HEIGHT]}      the window has this size
  {"evaluate": "EXPRESSION"}     the value of an expression in the page
  {"script": false}              the page runs no script, and is opened again
  {"dark": true}                 the user prefers dark colours
  {"print": true}                the page is laid out as it is printed
  {"screenshot": FILE}           all of the page as PNG
  {"pdf": FILE}                  what is printed
  {"told": true}                 all that the console, the policy, dialogs and requests told so far
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--no-first-run",
         "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--disable-sync", "about:blank"]
SECONDS_MAX = 120


class Browser:
    def __init__(self, profile):
        program = shutil.which("chromium") or sys.exit("there is no chromium: install the package of that name")
        ours_read, theirs_write = os.pipe()
        theirs_read, ours_write = os.pipe()

        def descriptors():
            # It reads commands from descriptor 3 and writes to 4. Both may be in use by one of the pipes.
            read, write = os.dup(theirs_read), os.dup(theirs_write)
            read, write = (os.dup(fd) if fd in (3, 4) else fd for fd in (read, write))
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen([program, *FLAGS[:-1], f"--user-data-dir={profile}", FLAGS[-1]], close_fds=False,
                                        preexec_fn=descriptors, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_read)
        os.close(theirs_write)
        self.reader, self.writer = os.fdopen(ours_read, "rb", buffering=0), os.fdopen(ours_write, "wb", buffering=0)
        self.number, self.session, self.rest, self.events = 0, None, b"", []
        self.timer = threading.Timer(SECONDS_MAX, self.process.kill)
        self.timer.start()

    def message(self):
        while b"\0" not in self.rest:
            part = self.reader.read(1 << 20)
            if not part:
                sys.exit("chromium ended, or took too long")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        call = {"id": self.number, "method": method, "params": params}
        if self.session:
            call["sessionId"] = self.session
        self.writer.write(json.dumps(call).encode() + b"\0")
        while (message := self.message()).get("id") != self.number:
            self.take(message)
        if "error" in message:
            sys.exit(f"{method}: {message['error']}")
        return message["result"]

    def take(self, event):
        self.events.append(event)
        if event.get("method") == "Page.javascriptDialogOpening":
            # It is not waited for: nobody can call while the dialog is open.
            self.number += 1
            close = {"id": self.number, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}, "sessionId": self.session}
            self.writer.write(json.dumps(close).encode() + b"\0")

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.take(self.message())

    def open(self, page):
        self.events = [event for event in self.events if event.get("method") != "Page.loadEventFired"]
        self.call("Page.navigate", url=pathlib.Path(page).resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def attach(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"]:
            self.call(f"{domain}.enable")

    def end(self):
        self.timer.cancel()
        self.process.kill()
        self.process.wait()


def told(events):
    """What a page that is in order has nothing of but the request for itself."""
    found = {"console": [], "dialogs": [], "requests": [], "issues": []}
    for event in events:
        method, params = event.get("method"), event.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            found["console"].append(params)
        elif method == "Page.javascriptDialogOpening":
            found["dialogs"].append(params["message"])
        elif method == "Network.requestWillBeSent":
            found["requests"].append(params["request"]["url"])
        elif method == "Audits.issueAdded":
            found["issues"].append(params["issue"]["code"])
    return found


def write(path, data):
    pathlib.Path(path).write_bytes(base64.b64decode(data))
    return len(data)


def screenshot(browser, path):
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    # Chromium draws no more at once.
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}
    return write(path, browser.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"])


def evaluate(browser, expression):
    answer = browser.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
    return answer["result"].get("value", answer.get("exceptionDetails"))


def step(browser, page, step):
    (name, value), = step.items()
    if name == "size":
        browser.call("Emulation.setDeviceMetricsOverride", width=value[0], height=value[1], deviceScaleFactor=1, mobile=False)
    elif name == "script":
        browser.call("Emulation.setScriptExecutionDisabled", value=not value)
        browser.open(page)
    elif name == "dark":
        scheme = "dark" if value else "light"
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    elif name == "print":
        browser.call("Emulation.setEmulatedMedia", media="print" if value else "")
        # What was not drawn is laid out with the next frame.
        evaluate(browser, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    elif name == "evaluate":
        return evaluate(browser, value)
    elif name == "screenshot":
        return screenshot(browser, value)
    elif name == "pdf":
        return write(value, browser.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"])
    elif name == "told":
        return told(browser.events)
    else:
        sys.exit(f"there is no step `{name}`")
    return None


def main(page, steps):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            browser.attach()
            browser.open(page)
            print(json.dumps([step(browser, page, one) for one in json.loads(steps)]))
        finally:
            browser.end()


main(*sys.argv[1:])
