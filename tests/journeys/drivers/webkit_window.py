"""A browser of one WebKitGTK window that WebKitWebDriver starts: run by the system's Python, which has the bindings.

Its settings come as JSON in `DEMIXER_WEBKIT`: `data` (folder of the storage, null for a private window), `downloads`,
`proxy` (address that foreign requests are sent to), `features` (WebKit's names, true or false).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402  (the versions come first)

SIZE = (1280, 900)


def main() -> None:
    told = json.loads(os.environ["DEMIXER_WEBKIT"])
    context = context_of(told)
    settings = settings_of(told["features"])

    def start(_: Any, session: Any) -> None:
        info = WebKit2.ApplicationInfo()
        info.set_name("MiniBrowser")
        info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
        session.set_application_info(info)
        session.connect("create-web-view", lambda _: window(context, settings))

    context.connect("automation-started", start)
    context.connect("download-started", lambda _, download: receive(download, Path(told["downloads"])))
    Gtk.main()


def context_of(told: dict[str, Any]) -> Any:
    """The storage, the network and the automation that windows share."""
    if told["data"]:
        data = WebKit2.WebsiteDataManager(base_data_directory=told["data"], base_cache_directory=told["data"])
    else:
        data = WebKit2.WebsiteDataManager.new_ephemeral()
    proxy = WebKit2.NetworkProxySettings.new(told["proxy"], ["127.0.0.1"])
    data.set_network_proxy_settings(WebKit2.NetworkProxyMode.CUSTOM, proxy)
    context = WebKit2.WebContext.new_with_website_data_manager(data)
    context.set_automation_allowed(True)
    return context


def settings_of(features: dict[str, bool]) -> Any:
    """Settings with the console on standard output."""
    settings = WebKit2.Settings()
    settings.set_enable_write_console_messages_to_stdout(True)
    known = WebKit2.Settings.get_all_features()
    by_name = {feature.get_identifier(): feature for feature in map(known.get, range(known.get_length()))}
    for name, on in features.items():
        settings.set_feature_enabled(by_name[name], on)
    return settings


def window(context: Any, settings: Any) -> Any:
    """A window that automation controls."""
    view = WebKit2.WebView(web_context=context, settings=settings, is_controlled_by_automation=True)
    frame = Gtk.Window()
    frame.set_default_size(*SIZE)
    frame.add(view)
    frame.show_all()
    view.connect("web-process-terminated", lambda *_: print("CONSOLE ERROR the web process ended", flush=True))
    return view


def receive(download: Any, folder: Path) -> None:
    """Save a download under its suggested name, which it gets when it is whole."""

    def decide(_: Any, name: str) -> bool:
        whole = folder / name
        partial = folder / f"{name}.part"
        download.set_allow_overwrite(True)
        download.set_destination(partial.as_uri())
        download.connect("finished", lambda _: partial.rename(whole))
        return True

    download.connect("decide-destination", decide)


if __name__ == "__main__":
    main()
