"""Counts visits in Redis."""

import os

import redis

cache = redis.Redis(os.environ["CACHE_HOST"], int(os.environ["CACHE_PORT"]), socket_timeout=2)


def app(environ, start_response):
    status, text = answer(environ["PATH_INFO"])
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text.encode()]


def answer(path):
    if path == "/healthz":
        return "200 OK", "ready\n"
    try:
        return "200 OK", f"hello visitor {cache.incr('visits')}\n"
    except redis.RedisError as error:
        return "503 Service Unavailable", f"no Redis: {error}\n"
