"""A small HTTP service on Python's standard library: a page, a counter kept across releases, and an orderly shutdown."""

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "3000"))
RELEASE = os.environ.get("TANDEM_RELEASE", "unreleased")[:12]
MACHINE = os.environ.get("TANDEM_MACHINE", "nowhere")
# The only folder the service may write. It is kept across releases, and shared with the instance that takes over.
COUNTER = Path(os.environ.get("TANDEM_DATA", ".")) / "visits"

counting = threading.Lock()


def count_visit() -> int:
    """Counts one more visit. Appending a byte is atomic, also while the old and the new instance both append."""
    with counting, COUNTER.open("ab") as file:
        file.write(b".")
        file.flush()
        return file.tell()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections alive

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(200, "ok\n")
        elif self.path == "/":
            self.answer(200, f"visit {count_visit()} (release {RELEASE} on machine {MACHINE})\n")
        else:
            self.answer(404, "there is / and /healthz\n")

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Logs requests, but not health probes: Tandem keeps the output, and probes would hide the other lines."""
        if self.path != "/healthz":
            super().log_message(format, *args)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    server = Server((HOST, PORT), Handler)
    # At SIGTERM, Tandem has moved all requests away. shutdown() must run in another thread than serve_forever().
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on {HOST}:{PORT}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    print("ended", flush=True)


if __name__ == "__main__":
    main()
