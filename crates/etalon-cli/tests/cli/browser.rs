//! Chromium without a window, driven by its own protocol over two named pipes: messages are JSON, each ended by NUL.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Option<String>,
    next: u64,
    /// Every address that the page has asked for.
    pub requests: Vec<String>,
    /// What went wrong in the page, as its console has it.
    pub errors: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Browser {
    /// Starts it; where there is none, the test fails and says so.
    pub(crate) fn start() -> Browser {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
        let [to, from, profile, log] = ["to", "from", "profile", "log"].map(path);
        // The shell gives it the pipes as the descriptors 3 and 4. Root must do without a sandbox.
        let script = "mkfifo \"$0\" \"$1\" && : > \"$0.made\" && exec chromium --headless=new --no-sandbox --disable-gpu \
            --disable-dev-shm-usage --no-first-run --disable-extensions --remote-debugging-pipe \"--user-data-dir=$2\" \
            about:blank 3<\"$0\" 4>\"$1\"";
        assert!(
            Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success()),
            "the tests of `etalon report` need Chromium; install it (on Debian: apt-get install chromium)"
        );
        let child = Command::new("sh")
            .args(["-c", script, &to, &from, &profile])
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let made = folder.path().join("to.made");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !made.exists() {
            assert!(Instant::now() < deadline, "no pipes");
            std::thread::sleep(Duration::from_millis(5));
        }
        // In the order in which the shell opens them: each waits for the other side.
        let to = File::options().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        let (requests, errors) = (Vec::new(), Vec::new());
        let mut browser =
            Browser { child, to, from, session: None, next: 0, requests, errors, _folder: folder };
        let targets = browser.call("Target.getTargets", json!({}));
        let page = targets["targetInfos"]
            .as_array()
            .unwrap()
            .iter()
            .find(|target| target["type"] == "page")
            .unwrap();
        let target = json!({ "targetId": page["targetId"], "flatten": true });
        let session =
            browser.call("Target.attachToTarget", target)["sessionId"].as_str().unwrap().to_string();
        browser.session = Some(session);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Asks for something, and gives its answer; what is told meanwhile is kept.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let number = self.next;
        let mut message = json!({ "id": number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let message = self.message();
            if message["id"] == json!(number) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// The next message, with what matters of it kept.
    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let told = &message["params"];
        match message["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                self.requests.push(told["request"]["url"].as_str().unwrap().to_string());
            }
            Some("Runtime.exceptionThrown") => self.errors.push(told["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") if told["type"] == "error" => self.errors.push(told.to_string()),
            Some("Log.entryAdded") if told["entry"]["level"] == "error" => {
                self.errors.push(told["entry"]["text"].to_string());
            }
            _ => {}
        }
        message
    }

    /// Opens a file, and waits until all of it is there; how long that took.
    pub(crate) fn open(&mut self, page: &Path) -> Duration {
        let start = Instant::now();
        let url = format!("file://{}", page.display());
        self.call("Page.navigate", json!({ "url": url }));
        while self.message()["method"] != "Page.loadEventFired" {}
        start.elapsed()
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Moves the pointer to a place of the window, in pixels.
    pub(crate) fn point(&mut self, x: f64, y: f64) {
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": x, "y": y }));
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", json!({ "type": kind, "key": key, "code": key }));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
