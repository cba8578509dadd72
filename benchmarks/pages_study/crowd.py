"""Many viewers who arrive one after the other: each loads a page, holds its kernel's socket, and stays."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from pages_study.servers import Site

CONTENT, END = b"<h1", b"</html>"


@dataclass
class Visit:
    """One viewer: seconds until the finding was there and until the page was whole; what went wrong."""

    content: float = float("nan")
    whole: float = float("nan")
    error: str = ""
    socket: WebSocketClientConnection | None = None


async def crowd(site: Site, page: str, viewers: int, within: float) -> dict[str, float]:
    """Let viewers arrive evenly, and watch the memory of all that serves them.

    Returns
    -------
    dict
        Number of errors, percentiles of the seconds to content, peak memory (PSS, in MB) and that of one viewer.
    """
    AsyncHTTPClient.configure(None, max_clients=viewers + 8)
    ended = asyncio.Event()
    before = memory(site)
    watching = asyncio.create_task(_peak(site, ended))
    visits = await asyncio.gather(*(_visit(site, page, place * within / viewers) for place in range(viewers)))
    await asyncio.sleep(2)
    ended.set()
    peak = await watching
    for visit in visits:
        if visit.socket is not None:
            visit.socket.close()
    times = sorted(visit.content for visit in visits if not visit.error)
    return {
        "errors": float(sum(bool(visit.error) for visit in visits)),
        **{f"p{share}_seconds": _percentile(times, share) for share in (50, 95, 100)},
        "whole_p95_seconds": _percentile(sorted(visit.whole for visit in visits if not visit.error), 95),
        "peak_mb": peak, "mb_each": (peak - before) / viewers,
    }  # fmt: skip


async def _visit(site: Site, page: str, wait: float) -> Visit:
    await asyncio.sleep(wait)
    visit, read, began = Visit(), bytearray(), time.perf_counter()

    def chunk(part: bytes) -> None:
        read.extend(part)
        if visit.content != visit.content and CONTENT in read:
            visit.content = time.perf_counter() - began

    cookie = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
    try:
        await AsyncHTTPClient().fetch(
            HTTPRequest(site.page(page), headers={"Cookie": cookie}, streaming_callback=chunk, request_timeout=120)
        )
        visit.whole = time.perf_counter() - began
        text = bytes(read).decode()
        if END not in read or "data-page-failed" in text:
            visit.error = "the page failed"
            return visit
        config = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', text, re.DOTALL)
        assert config
        kernel = json.loads(config[1])["kernelId"]
        address = f"{site.base.replace('http', 'ws')}/api/kernels/{kernel}/channels"
        visit.socket = await websocket_connect(HTTPRequest(address, headers={"Cookie": cookie}))
    except Exception as error:  # noqa: BLE001 every fault is counted, whatever it is
        visit.error = f"{type(error).__name__}: {error}"
    return visit


async def _peak(site: Site, ended: asyncio.Event) -> float:
    most = 0.0
    while not ended.is_set():
        most = max(most, await asyncio.get_running_loop().run_in_executor(None, memory, site))
        await asyncio.sleep(1)
    return most


def memory(site: Site) -> float:
    """Proportional set size of the server, its kernels and their warm parent, in MB."""
    server = psutil.Process(site.process.pid)
    parents = [one for one in psutil.process_iter(["cmdline"]) if "spm_models.warm_kernels.parent" in
               (one.info["cmdline"] or ())]  # fmt: skip
    total = 0
    for root in (server, *parents):
        for one in (root, *root.children(recursive=True)):
            try:
                total += one.memory_full_info().pss
            except psutil.Error:  # it has ended in the meantime
                continue
    return total / 2**20


def _percentile(values: list[float], share: int) -> float:
    return values[min(len(values) - 1, int(share / 100 * len(values)))] if values else float("nan")
