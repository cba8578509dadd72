"""What the page server answers to: pages, their kernels, their static files, and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.utils import ApiPath
from tornado import web
from tornado.iostream import StreamClosedError
from voila.notebook_renderer import NotebookRenderer
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.utils import get_page_config

from spm_models.apps.identity import PageUser
from spm_models.apps.pages import asked_of, is_live, link
from spm_models.apps.session import ASKED, LOCALE, LOOKED, Reader
from spm_models.apps.words import PageWords, failure_once
from spm_models.errors import AccessDeniedError, SpmError
from spm_models.translations import LOCALES

LANGUAGE = "spm-language"  #: cookie with the language that a viewer chose
_OWN_PAGE = re.compile(r"/pages/[a-z0-9-]+(\?[A-Za-z0-9=&%._+-]*)?")
KERNEL_ID = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"

#: No script but ours, nothing from elsewhere, nobody may frame the page.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with less, a browser sends the forms of our doors without their origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _guard(handler: web.RequestHandler) -> None:
    """Set the headers of an answer that nothing may keep."""
    for name, value in HEADERS.items():
        handler.set_header(name, value)
    handler.set_header("Cache-Control", "no-store")


def own_page(address: str) -> str:
    """An address to go on to: a page of ours, else the first one.

    Examples
    --------
    >>> own_page("/pages/deals?stage=Demo"), own_page("//evil.example"), own_page("/pages/../x")
    ('/pages/deals?stage=Demo', '/', '/')
    """
    return address if _OWN_PAGE.fullmatch(address) else "/"


class Page(JupyterHandler):
    """A handler whose errors are pages of ours (Voila has no static path, so Jupyter's own would fail)."""

    @property
    def pages(self) -> Any:
        """The page server."""
        return self.settings["pages"]

    @property
    def chosen(self) -> str:
        """The language that this browser chose; empty where it chose none."""
        locale = self.get_cookie(LANGUAGE, "")
        return locale if locale in LOCALES else ""

    @cached_property
    def reader(self) -> Reader:
        """Who asks: his scope, role and language, as the published organisation knows him today."""
        try:
            found: Reader = self.pages.reader_of(self.current_user.viewer, self.chosen)
        except AccessDeniedError as error:  # he has left, or is not known (any more)
            raise web.HTTPError(403) from error
        return found

    @cached_property
    def known(self) -> Reader | None:
        """Who asks; None where nobody is known, or not (any more) to the results."""
        if getattr(self, "_jupyter_current_user", None) is None:
            return None
        try:
            return self.reader
        except (web.HTTPError, SpmError):
            return None

    @property
    def words(self) -> PageWords:
        """The words around a page in the language of whoever asks; the company's before anybody is known."""
        found: PageWords = self.pages.words_in(self.known.translator.locale if self.known else self.chosen)
        return found

    def sign_in_page(self, to: str = "/", **problem: Any) -> str:
        """The form that asks for login and password."""
        return self.words.sign_in_page(self.xsrf_token.decode(), to, **problem)

    def set_default_headers(self) -> None:
        """Headers of every answer."""
        _guard(self)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what happened and what to do; who is not signed in may do so."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        nobody = getattr(self, "_jupyter_current_user", None) is None
        if status_code == 403 and nobody and self.pages.sign_in.form and self.request.method == "GET":
            self.finish(self.sign_in_page(own_page(self.request.uri or "")))
            return
        kind = {403: self.pages.door if nobody else "denied", 404: "missing"}.get(status_code, "broken")
        self.finish(self.words.error_page(kind))


class Door(Page):
    """A page for people who have no session yet."""

    async def prepare(self, **_: Any) -> None:
        """Ask for nothing but a host name of ours, and that a form was ours too."""
        if not self.check_host():
            raise web.HTTPError(403)
        self.current_user = self._jupyter_current_user = None
        if self.request.method != "GET":
            self.check_xsrf_cookie()


class Home(Page):
    """Leads to the first page."""

    @web.authenticated
    def get(self) -> None:
        """Go to the first page that the viewer may open."""
        slugs = self.pages.open_to(self.reader)
        if not slugs:
            raise web.HTTPError(404)
        self.redirect(link(slugs[0]))


class Missing(Page):
    """Everything that is not served."""

    async def get(self, _path: str = "") -> None:
        """There is no such page."""
        raise web.HTTPError(404)

    post = put = delete = patch = get


class NotebookPage(Page):
    """Runs a page's notebook in a kernel of its own and sends the page while it grows.

    ``wishes`` is what the kernel is told beside the viewer: what the address asks for, and the language.
    """

    wishes: dict[str, str]

    @web.authenticated
    async def get(self, slug: str) -> None:
        """Send one page; when its notebook fails or hangs, the page says so and its kernel is ended."""
        notebook, slugs = self.pages.notebooks.get(slug), self.pages.open_to(self.reader)
        if notebook is None:
            raise web.HTTPError(404)
        asked = asked_of({name: self.get_query_argument(name) for name in self.request.query_arguments})
        if slug not in slugs:
            self.pages.record.page("refused", self.current_user, self.reader, slug, asked)
            raise web.HTTPError(403)
        self.pages.record.page("opened", self.current_user, self.reader, slug, asked)
        self.wishes = {ASKED: json.dumps(asked, ensure_ascii=False), LOCALE: self.words.t.locale}
        if slug == "my-performance":
            self.wishes[LOOKED] = self.pages.record.looked_at(self.reader)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        _ = self.xsrf_token  # sets the cookie that the browser's closing message needs
        renderer = self._renderer(notebook)
        await renderer.initialize()
        render_failure, failed = failure_once(self.words)
        shell = self.words.shell(slug, slugs, viewer=self.reader.name, address=link(slug, **asked))
        renderer.resources["spm"] = shell | self._own() | {
            "failed": render_failure, "styles": self.pages.styles_of(slug), "live": is_live(slug),
        }  # fmt: skip
        kernel_id = self.kernel_manager.new_kernel_id()
        starting = asyncio.create_task(self._start(kernel_id, renderer.notebook.metadata.kernelspec.name))
        try:
            async with asyncio.timeout(self.pages.patience):
                async for html, _ in renderer.generate_content_generator(kernel_id, starting):
                    self.write(html)
                    await self.flush()
        except StreamClosedError:  # the reader has left
            await self._end(kernel_id)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the viewer must be told, whatever it was
            await self._fail(slug, kernel_id, error)
        else:
            if failed():
                self.log.error("Page %s: its notebook failed", slug)
                await self._end(kernel_id)

    def _own(self) -> dict[str, Any]:
        """What the head of the page offers to the person himself."""
        user: PageUser = self.current_user
        return {
            "xsrf": self.xsrf_token.decode(),
            "administrator": self.pages.is_administrator(user.signed_in.person),
            "looks_as": self.words.t("pages.looks_as.banner", name=self.reader.name) if user.looks_as else "",
        }

    async def _start(self, kernel_id: str, name: str) -> Any:
        await self.kernel_manager.start_kernel(kernel_id=kernel_id, kernel_name=name, path=ApiPath(""))
        return self.kernel_manager.get_kernel(kernel_id)

    def _renderer(self, notebook: Path) -> NotebookRenderer:
        configuration = self.pages.voila_configuration
        config = get_page_config(
            base_url=self.base_url, settings=self.settings, log=self.log, voila_configuration=configuration
        )
        config["fullStaticUrl"] = self.pages.static_url
        config["fullMathjaxUrl"] = "/spm/static/no-formulas.js"  # Voila's own is on a CDN
        return NotebookRenderer(
            request_handler=self, voila_configuration=configuration, traitlet_config=self.pages.config,
            notebook_path=notebook.name, template_paths=self.pages.template_paths,
            config_manager=self.config_manager, contents_manager=self.contents_manager, base_url=self.base_url,
            kernel_spec_manager=self.kernel_spec_manager, page_config=config, mathjax_config="", mathjax_url="",
        )  # fmt: skip

    async def _fail(self, slug: str, kernel_id: str, error: BaseException) -> None:
        late = isinstance(error, TimeoutError)
        self.log.error("Page %s %s", slug, "took too long" if late else "failed", exc_info=error)
        if not self._finished:
            self.finish(self.words.failure(late=late))
        await self._end(kernel_id)

    async def _end(self, kernel_id: str) -> None:
        """End the kernel of a page that nobody can use."""
        if kernel_id in self.kernel_manager:
            await self.kernel_manager.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]


class OwnKernel(KernelHandler):
    """Facts about one's own kernel; it is ended by closing the page, not by DELETE."""

    def set_default_headers(self) -> None:
        """Headers of every answer."""
        _guard(self)

    async def delete(self, kernel_id: str) -> None:
        """Refuse."""
        raise web.HTTPError(405)


class OwnChannels(VoilaKernelWebsocketHandler):
    """Messages of one's own kernel (the authorizer asks whose it is)."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """No page: a program is asking."""
        self.finish()


class CloseKernel(APIHandler):
    """What a browser sends when a page is closed."""

    auth_resource = "kernels"

    def set_default_headers(self) -> None:
        """Headers of every answer."""
        _guard(self)

    @web.authenticated
    @authorized(action="execute")
    async def post(self, kernel_id: str) -> None:
        """End the page's kernel."""
        if kernel_id in self.kernel_manager:
            await self.kernel_manager.shutdown_kernel(kernel_id)  # type: ignore[no-untyped-call]
        self.set_status(204)
        self.finish()


class StaticFiles(MultiStaticFileHandler):
    """Style sheets, scripts and fonts, for open sessions only; names with a hash may be kept for long."""

    def initialize(self, paths: list[str], lasting: str = "") -> None:
        """Folders to look in, and which names never change their content."""
        super().initialize(paths=paths)
        self.lasting = re.compile(lasting) if lasting else None

    def set_default_headers(self) -> None:
        """Headers of every answer."""
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse whoever has no session."""
        if self.settings["identity_provider"].user_of(self) is None:
            raise web.HTTPError(403)

    def set_extra_headers(self, path: str) -> None:
        """Let a browser keep what cannot change; everything else is asked for again."""
        lasting = self.lasting is not None and self.lasting.search(path) is not None
        self.set_header("Cache-Control", "private, max-age=604800, immutable" if lasting else "private, no-cache")
