"""The page server: Voila on this machine only, for people whom a proxy or a local account signed in."""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import sys
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tornado.ioloop
import tornado.web
import voila
from jupyter_core.utils import run_sync
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets import Dict, Float, Instance, Unicode
from traitlets.config import Config
from voila.app import Voila
from voila.paths import collect_static_paths, collect_template_paths
from voila.utils import get_voila_labextensions_path

from spm_models.access import Scope, Viewer, same_login
from spm_models.apps import form_handlers, handlers, sign_in_handlers
from spm_models.apps.accounts import Accounts
from spm_models.apps.identity import (
    AccountSignIn,
    OneTimeAddress,
    OwnerOnly,
    PageIdentity,
    ProxySignIn,
    SignIn,
    ViewAs,
)
from spm_models.apps.kernels import ViewerKernels
from spm_models.apps.pages import open_to, turned_on
from spm_models.apps.proxy import ProxyTokens
from spm_models.apps.record import Record
from spm_models.apps.session import Reader, checked_reader, named_viewer, reader_of, viewer_called
from spm_models.apps.words import PageWords
from spm_models.errors import PageError
from spm_models.published import Results
from spm_models.reports.kernels import NativeKernels
from spm_models.shipped import shipped
from spm_models.translations import Translator
from spm_models.workspace import Workspace

HOST = "127.0.0.1"
PATIENCE_SECONDS = 25.0  #: for a whole page; a cold start of a kernel on a busy machine takes about ten
OPEN_FILES = 16_384
SESSIONS_EVERY_SECONDS = 20  #: until an open page of an ended session loses its kernel
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"]


class PageServer(Voila):
    """Voila with only the handlers of :mod:`spm_models.apps.handlers`, and no configuration but ours."""

    sign_in: SignIn = Instance(object)  # type: ignore[assignment]
    address = Instance(OneTimeAddress, allow_none=True)
    view_as = Instance(ViewAs, args=())
    record = Instance(Record)
    workspace = Instance(Workspace)
    command = Unicode(help="What to type to open the pages again.")
    notebooks = Dict(help="Notebook file of each page by its name in the address.")
    patience = Float(PATIENCE_SECONDS, help="Seconds after which an unfinished page says so.")
    template_folder = Unicode(help="Folder of the page template.")
    _words = Dict()

    #: The version in the address lets a browser keep the files until Voila changes.
    static_url = f"/voila/static-{voila.__version__}"

    def words_in(self, locale: str) -> PageWords:
        """The words around a page in one language; empty: the company's."""
        company = self.workspace.settings.company
        chosen = locale or company.locale
        if chosen not in self._words:
            t = Translator(chosen, currency=company.currency, time_zone=company.time_zone)
            self._words[chosen] = PageWords(t, company.name, Path(self.template_folder), self.command)
        found: PageWords = self._words[chosen]
        return found

    def viewer_called(self, person: str) -> Viewer:
        """A person whom the sign-in names, with the role that spm.toml gives him."""
        return viewer_called(self.workspace.settings, person)

    def reader_of(self, viewer: Viewer, locale: str = "") -> Reader:
        """A viewer as the published organisation knows him."""
        return reader_of(self.workspace, viewer, locale)

    def is_administrator(self, person: str) -> bool:
        """Whether somebody may look as others do."""
        return any(same_login(person, one) for one in self.workspace.settings.pages.administrators)

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages through a TLS proxy, and so may send cookies over TLS only."""
        return bool(self.workspace.settings.pages.host)

    @property
    def door(self) -> str:
        """What is said to somebody who is not signed in and cannot do so here."""
        if isinstance(self.sign_in, ProxySignIn):
            return "ask_proxy"
        return "signed_out" if self.sign_in.form else "forbidden"

    def open_to(self, reader: Reader) -> list[str]:
        """The pages that somebody may open, in the order of the navigation."""
        return open_to(reader.role, self.notebooks, turned_on(self.workspace.settings))

    def styles_of(self, slug: str) -> list[str]:
        """Style sheets of a page: those of all, and its own where it has one."""
        own = Path(self.template_folder) / "static" / f"{slug}.css"
        return ["page.css", "parts.css", "said.css", "forms.css", *([own.name] if own.is_file() else [])]

    def setup_template_dirs(self) -> None:
        """Our template by its path, Voila's front end beside it."""
        self.template_paths = [self.template_folder, *collect_template_paths(["voila", "nbconvert"], "lab", prune=True)]
        self.static_paths = collect_static_paths(["voila", "nbconvert"], "lab")

    def init_settings(self) -> dict[str, Any]:
        """Voila's settings, answering to local host names only."""
        settings: dict[str, Any] = super().init_settings()
        return {
            **settings, "allow_remote_access": False, "pages": self,
            "local_hostnames": ["localhost", *filter(None, [self.workspace.settings.pages.host])],
            "default_handler_class": handlers.Missing,
            "log_function": lambda _handler: None,  # the entry address must not reach a log
        }  # fmt: skip

    def init_handlers(self) -> list[Any]:
        """Everything that is served. Nothing that Voila adds on its own gets in here."""
        static = str(Path(self.template_folder) / "static")
        return [
            (r"/", handlers.Home),
            (r"/enter/([A-Za-z0-9_-]+)", sign_in_handlers.Enter),
            (r"/sign-in", sign_in_handlers.SignInForm),
            (r"/sign-out", sign_in_handlers.SignOut),
            (r"/look-as", sign_in_handlers.LookAs),
            (r"/pages/([a-z0-9-]+)", handlers.NotebookPage),
            (r"/write/([a-z0-9_]+)", form_handlers.WriteForm),
            (r"/language/([a-z]+)", form_handlers.ChooseLanguage),
            (rf"/api/kernels/{handlers.KERNEL_ID}", handlers.OwnKernel),
            (rf"/api/kernels/{handlers.KERNEL_ID}/channels", handlers.OwnChannels),
            (rf"/voila/api/shutdown/{handlers.KERNEL_ID}", handlers.CloseKernel),
            (rf"{self.static_url}/(.*)", handlers.StaticFiles, {"paths": self.static_paths, "lasting": "."}),
            (r"/voila/labextensions/(.*)", handlers.StaticFiles,
             {"paths": get_voila_labextensions_path(), "lasting": r"\.[0-9a-f]{16,}\.js$"}),
            (r"/spm/static/(.*)", handlers.StaticFiles, {"paths": [static]}),
            (r"/spm/fonts/(.*\.woff2)", handlers.StaticFiles,
             {"paths": [str(shipped("templates/fonts"))], "lasting": "."}),
            (r"/(.*)", handlers.Missing),
        ]  # fmt: skip

    def start(self) -> None:
        """Not used: :func:`serve` listens on a socket of its own, so that nothing else can."""
        raise PageError("The page server is started by serve()", remedy="Use `spm pages`.")

    def serve_on(self, port: int, *, ready: Callable[[int], None]) -> None:
        """Listen and answer until told to stop."""
        sockets = _bind(port)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # a kernel takes about fifteen open files
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, OPEN_FILES)), hard))
        self.port = sockets[0].getsockname()[1]
        self.connection_dir = tempfile.mkdtemp(prefix="spm_pages_")  # keys of the kernels; for this user only
        application = tornado.web.Application(**self.init_settings())
        application.add_handlers(".*$", self.init_handlers())
        self.app = application
        server = HTTPServer(application)
        server.add_sockets(sockets)
        self.ioloop = tornado.ioloop.IOLoop.current()
        self.ioloop.add_callback(ready, self.port)
        ended = tornado.ioloop.PeriodicCallback(self._end_ended, SESSIONS_EVERY_SECONDS * 1000)
        ended.start()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            self.log.info("Stopping")
        finally:
            ended.stop()
            server.stop()
            self.record.close()
            run_sync(self.kernel_manager.shutdown_all)(now=True)
            shutil.rmtree(self.connection_dir, ignore_errors=True)

    async def _end_ended(self) -> None:
        """Sockets outlive what let them in: look, and end their kernels."""
        await self.kernel_manager.end_where(lambda signed_in: not self.sign_in.lasts(signed_in))


def serve(
    workspace: Workspace,
    *,
    port: int | None = None,
    viewer: str | None = None,
    open_browser: bool = False,
    patience: float = PATIENCE_SECONDS,
    notebooks: Path | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve the pages of a workspace until interrupted.

    Who may come in: whom the proxy of ``[pages.proxy]`` signed in; without a proxy, whoever has a local account
    (``spm users``). A viewer who is named gets an address that works once; without accounts somebody must be named.

    Parameters
    ----------
    workspace : Workspace
        Whose published results the pages show.
    port : int, optional
        Port on 127.0.0.1; ``[pages].port`` without it, 0 for any free one.
    viewer : str, optional
        Person for whom one session is opened; ``[pages].viewer`` without it.
    open_browser : bool
        Open the one-time address in this machine's browser.
    patience : float
        Seconds after which a page that is not finished says so.
    notebooks : Path, optional
        Folder whose notebooks are the pages; those of the workbench without it.
    announce : callable, optional
        Told the address; prints it without one.

    Raises
    ------
    PageError
        When no viewer is named, the person is unknown, the proxy is not wholly described, or the port is taken.
    PublishedError
        When nothing was published yet.
    """
    sign_in, address = _way_in(workspace, viewer)
    folder, pages = shipped("templates/voila/spm"), notebooks or shipped("notebooks/apps")
    command = f"spm pages --workspace {shlex.quote(str(workspace.root))}"
    server = PageServer.instance(
        sign_in=sign_in, address=address, record=Record(workspace), workspace=workspace, command=command,
        notebooks=_pages(pages), patience=patience, template_folder=str(folder),
        config=_configuration(workspace, pages, patience),
    )  # fmt: skip
    server.initialize([])
    say, host = announce or _print, workspace.settings.pages.host

    def ready(bound: int) -> None:
        base = f"http://{HOST}:{bound}"
        link = f"{base}/enter/{address.token}" if address else f"https://{host}/" if host else f"{base}/"
        say(f"{link}  (your proxy asks {base}/)" if host and not address else link)
        if open_browser:
            webbrowser.open(link)

    server.serve_on(workspace.settings.pages.port if port is None else port, ready=ready)


def _way_in(workspace: Workspace, viewer: str | None) -> tuple[SignIn, OneTimeAddress | None]:
    """The one way to be known, and the address for the person who is named."""
    pages = workspace.settings.pages
    if pages.proxy.header:
        if viewer is not None:
            raise PageError("Behind a proxy nobody is signed in from here", found=viewer,
                            remedy="Leave --viewer away, or empty [pages.proxy].header for a trial.")  # fmt: skip
        Results.open(workspace, scope=Scope.of_company())
        return ProxySignIn(ProxyTokens(workspace), pages.proxy.sign_out), None
    door = AccountSignIn(Accounts(workspace.accounts_db), secure=bool(pages.host))
    if door.form and viewer is None:
        Results.open(workspace, scope=Scope.of_company())
        return door, None
    reader = checked_reader(workspace, named_viewer(workspace, viewer))
    return door, OneTimeAddress(reader.viewer.id)


def _configuration(workspace: Workspace, pages: Path, patience: float) -> Config:
    """Every trait that matters, so that no file found on the machine decides."""
    config = Config()
    config.Voila = Config(
        ip=HOST, base_url="/", server_url="/", open_browser=False, config_file_paths=[], cookie_secret=os.urandom(32),
        token="", root_dir=str(pages), log_level="WARN",
        identity_provider_class=PageIdentity, authorizer_class=OwnerOnly,
    )  # fmt: skip
    config.VoilaConfiguration = Config(
        template="lab", allow_template_override="NO", allow_theme_override="NO", theme="light",
        file_allowlist=[], show_tracebacks=False, preheat_kernel=False, progressive_rendering=False,
        http_header_envs=[], extension_allowlist=EXTENSIONS, strip_sources=True, attempt_fix_notebook=True,
        multi_kernel_manager_class=ViewerKernels, kernel_spec_manager_class=NativeKernels,
    )  # fmt: skip
    config.VoilaExecutor = Config(timeout=int(patience), startup_timeout=int(patience), interrupt_on_timeout=False)
    config.ViewerKernels = Config(
        cull_idle_timeout=900, cull_interval=60, cull_connected=True, cull_busy=False, allow_tracebacks=False,
        workspace_env={"SPM_WORKSPACE": str(workspace.root)},
    )  # fmt: skip
    return config


def _pages(folder: Path) -> dict[str, Path]:
    found = {file.stem.replace("_", "-"): file for file in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise PageError("There are no pages to serve", where=str(folder), remedy="Install the package again.")
    return found


def _bind(port: int) -> list[Any]:
    try:
        return bind_sockets(port, HOST)
    except OSError as error:
        raise PageError(
            "The pages cannot listen on this port", where=f"{HOST}:{port}", found=error.strerror,
            remedy="Stop what uses it, or choose another: `spm pages --port 8900`, or [pages].port in spm.toml.",
        ) from error  # fmt: skip


def _print(address: str) -> None:
    how = " (this address works once)" if "/enter/" in address else ""
    sys.stdout.write(f"Open the pages{how}:\n\n  {address}\n\nStop with Ctrl+C.\n")
    sys.stdout.flush()
