#!/usr/bin/python3
"""The desktop that the tray app meets in the test: a StatusNotifierWatcher, a notification server, and hands.

Runs on a private session bus and a private X display. Reads one JSON request a line on standard input and answers with
one JSON line: {"do": "items" | "layout" | "click" | "icon" | "notifications" | "activate" | "windows" | "states" | "geometry" | "focus" | "press" | "fullscreen" | "close"}.
"""

import ctypes
import json
import sys
import threading

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
NOTIFICATIONS = "org.freedesktop.Notifications"
PROPERTIES = "org.freedesktop.DBus.Properties"


class Watcher(dbus.service.Object):
    """What a panel offers: items register here."""

    def __init__(self, bus):
        self.name = dbus.service.BusName(WATCHER, bus)
        super().__init__(bus, "/StatusNotifierWatcher")
        self.items = []

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        bus_name, path = (sender, service) if service.startswith("/") else (service, "/StatusNotifierItem")
        if (item := (str(bus_name), str(path))) not in self.items:
            self.items.append(item)
        self.StatusNotifierItemRegistered(f"{bus_name}{path}")

    @dbus.service.method(WATCHER, in_signature="s")
    def RegisterStatusNotifierHost(self, service):
        pass

    @dbus.service.signal(WATCHER, signature="s")
    def StatusNotifierItemRegistered(self, item):
        pass

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return self.GetAll(interface)[name]

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {
            "IsStatusNotifierHostRegistered": dbus.Boolean(True),
            "ProtocolVersion": dbus.Int32(0),
            "RegisteredStatusNotifierItems": dbus.Array([a + b for a, b in self.items], signature="s"),
        }


class Notifications(dbus.service.Object):
    """A notification server that shows nothing and remembers everything."""

    def __init__(self, bus):
        self.name = dbus.service.BusName(NOTIFICATIONS, bus)
        super().__init__(bus, "/org/freedesktop/Notifications")
        self.shown = []

    @dbus.service.method(NOTIFICATIONS, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        number = len(self.shown) + 1
        self.shown.append({"id": number, "summary": str(summary), "body": str(body), "actions": [str(a) for a in actions]})
        return number

    @dbus.service.method(NOTIFICATIONS, out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body", "body-markup"]

    @dbus.service.method(NOTIFICATIONS, out_signature="ssss")
    def GetServerInformation(self):
        return ("test", "test", "1", "1.2")

    @dbus.service.method(NOTIFICATIONS, in_signature="u")
    def CloseNotification(self, number):
        self.NotificationClosed(number, 3)

    @dbus.service.signal(NOTIFICATIONS, signature="us")
    def ActionInvoked(self, number, action):
        pass

    @dbus.service.signal(NOTIFICATIONS, signature="uu")
    def NotificationClosed(self, number, reason):
        pass


class Display:
    """The X display, through libX11 itself: which windows have a title, a pointer, a polite close; and as much of a window
    manager as says which window is in front (`_NET_ACTIVE_WINDOW`), with one full-screen window of its own."""

    class Message(ctypes.Structure):
        _fields_ = [
            ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
            ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong),
            ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("padding", ctypes.c_long * 16),
        ]

    def __init__(self):
        self.x = ctypes.CDLL("libX11.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.x.XDefaultRootWindow.restype = ctypes.c_ulong
        self.x.XInternAtom.restype = ctypes.c_ulong
        # a window may go away between two calls: that is no reason to exit
        self.ignore = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
        self.x.XSetErrorHandler(self.ignore)
        self.x.XCreateSimpleWindow.restype = ctypes.c_ulong
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(None))
        self.root = self.x.XDefaultRootWindow(self.display)
        self.game = None
        # what a toolkit wants to see before it believes a window manager
        check = self.window(1, 1)
        self.say(self.root, b"_NET_SUPPORTING_WM_CHECK", b"WINDOW", [check])
        self.say(check, b"_NET_SUPPORTING_WM_CHECK", b"WINDOW", [check])
        self.say(self.root, b"_NET_SUPPORTED", b"ATOM", [self.atom(b"_NET_CLIENT_LIST_STACKING")])
        self.in_front(None)

    def atom(self, name):
        return self.x.XInternAtom(self.display, name, 0)

    def window(self, width, height):
        size = ctypes.c_uint(width), ctypes.c_uint(height), ctypes.c_uint(0)
        colours = ctypes.c_ulong(0), ctypes.c_ulong(0x20304C)
        return self.x.XCreateSimpleWindow(self.display, ctypes.c_ulong(self.root), 0, 0, *size, *colours)

    def say(self, window, name, kind, values):
        data = (ctypes.c_ulong * len(values))(*values)
        atoms = ctypes.c_ulong(self.atom(name)), ctypes.c_ulong(self.atom(kind))
        self.x.XChangeProperty(self.display, ctypes.c_ulong(window), *atoms, 32, 0, data, len(values))
        self.x.XSync(self.display, 0)

    def in_front(self, window):
        """What a window manager tells of the stack."""
        self.say(self.root, b"_NET_CLIENT_LIST_STACKING", b"WINDOW", [window] if window else [])
        self.say(self.root, b"_NET_ACTIVE_WINDOW", b"WINDOW", [window or 0])

    def fullscreen(self, on):
        """A program that fills the screen comes to the front, with the keyboard, or ends."""
        if on:
            self.game = self.window(1280, 860)
            self.say(self.game, b"_NET_WM_STATE", b"ATOM", [self.atom(b"_NET_WM_STATE_FULLSCREEN")])
            self.x.XMapRaised(self.display, ctypes.c_ulong(self.game))
            self.x.XSync(self.display, 0)
            self.x.XSetInputFocus(self.display, ctypes.c_ulong(self.game), 1, ctypes.c_ulong(0))
            self.in_front(self.game)
        else:
            self.in_front(None)
            self.x.XDestroyWindow(self.display, ctypes.c_ulong(self.game))
            self.x.XSync(self.display, 0)
            self.game = None
        return self.game

    def press(self, window):
        """The pointer goes to the middle of a window and clicks, like a hand."""
        x, y, width, height = self.geometry(window)
        test = ctypes.CDLL("libXtst.so.6")
        test.XTestFakeMotionEvent(self.display, -1, x + width // 2, y + height // 2, ctypes.c_ulong(0))
        for down in (1, 0):
            test.XTestFakeButtonEvent(self.display, ctypes.c_uint(1), down, ctypes.c_ulong(0))
        self.x.XSync(self.display, 0)

    def windows(self):
        """Every window of the product, as (number, title)."""
        found = []
        self.walk(self.x.XDefaultRootWindow(self.display), found)
        return found

    def walk(self, window, found):
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children, name = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_char_p()
        if self.x.XFetchName(self.display, ctypes.c_ulong(window), ctypes.byref(name)) and name.value:
            title = self.title(window) or name.value.decode(errors="replace")
            if title.endswith("Portcullis") and self.is_large(window):
                found.append((window, title))
        args = map(ctypes.byref, (root, parent, children, count))
        if self.x.XQueryTree(self.display, ctypes.c_ulong(window), *args) and children:
            inner = [children[index] for index in range(count.value)]
            self.x.XFree(children)
            for child in inner:
                self.walk(child, found)

    def title(self, window):
        """_NET_WM_NAME: the older WM_NAME has no room for characters beyond Latin-1."""
        kind, length, left = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
        form, data = ctypes.c_int(), ctypes.c_char_p()
        args = map(ctypes.byref, (kind, form, length, left, data))
        name = ctypes.c_ulong(self.x.XInternAtom(self.display, b"_NET_WM_NAME", 0))
        self.x.XGetWindowProperty(self.display, ctypes.c_ulong(window), name, ctypes.c_long(0), ctypes.c_long(256), 0, ctypes.c_ulong(0), *args)
        return (data.value or b"").decode(errors="replace")

    def states(self, window):
        """The names in _NET_WM_STATE: `above`, `skip_taskbar`, `sticky` …"""
        kind, length, left = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
        form, data = ctypes.c_int(), ctypes.POINTER(ctypes.c_ulong)()
        args = map(ctypes.byref, (kind, form, length, left, data))
        name = ctypes.c_ulong(self.x.XInternAtom(self.display, b"_NET_WM_STATE", 0))
        self.x.XGetWindowProperty(self.display, ctypes.c_ulong(window), name, ctypes.c_long(0), ctypes.c_long(64), 0, ctypes.c_ulong(4), *args)
        self.x.XGetAtomName.restype = ctypes.c_char_p
        names = [self.x.XGetAtomName(self.display, ctypes.c_ulong(data[i])) for i in range(length.value)]
        return [name.decode().removeprefix("_NET_WM_STATE_").lower() for name in names]

    def focus(self, window):
        """Whether this window, or one inside it, holds the keyboard."""
        held, revert = ctypes.c_ulong(), ctypes.c_int()
        self.x.XGetInputFocus(self.display, ctypes.byref(held), ctypes.byref(revert))
        while held.value not in (0, 1, window):
            root, parent, children, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
            args = map(ctypes.byref, (root, parent, children, count))
            if not self.x.XQueryTree(self.display, held, *args):
                return False
            self.x.XFree(children)
            held = parent
        return held.value == window

    def is_large(self, window):
        """Not one of the toolkit's hidden helper windows."""
        return self.geometry(window)[2] > 200

    def geometry(self, window):
        """[x, y, width, height] on the screen."""
        root, x, y = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_int()
        width, height, border, depth = (ctypes.c_uint() for _ in range(4))
        args = map(ctypes.byref, (root, x, y, width, height, border, depth))
        self.x.XGetGeometry(self.display, ctypes.c_ulong(window), *args)
        child, left, top = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_int()
        target = ctypes.c_ulong(window), ctypes.c_ulong(self.root), 0, 0
        self.x.XTranslateCoordinates(self.display, *target, *map(ctypes.byref, (left, top, child)))
        return [left.value, top.value, width.value, height.value]

    def close(self, window):
        atom = lambda name: self.x.XInternAtom(self.display, name, 0)
        data = (ctypes.c_long * 5)(atom(b"WM_DELETE_WINDOW"), 0, 0, 0, 0)
        message = self.Message(33, 0, 1, self.display, window, atom(b"WM_PROTOCOLS"), 32, data)
        self.x.XSendEvent(self.display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
        self.x.XFlush(self.display)


class Session:
    def __init__(self):
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        self.bus = dbus.SessionBus()
        self.watcher = Watcher(self.bus)
        self.notifications = Notifications(self.bus)
        self.display = Display()

    def item(self):
        """The newest item whose app is still there."""
        for name, path in reversed(self.watcher.items):
            if self.bus.name_has_owner(name):
                return name, path
        raise LookupError("no tray item is registered")

    def property(self, name):
        bus_name, path = self.item()
        return dbus.Interface(self.bus.get_object(bus_name, path), PROPERTIES).Get(ITEM, name)

    def menu(self):
        bus_name, _ = self.item()
        return dbus.Interface(self.bus.get_object(bus_name, str(self.property("Menu"))), MENU)

    def read(self, node):
        number, properties, children = node
        kind = str(properties.get("toggle-type", ""))
        return {
            "id": int(number),
            "label": str(properties.get("label", "")).replace("__", "_"),
            "separator": str(properties.get("type", "")) == "separator",
            "enabled": bool(properties.get("enabled", True)),
            "ticked": bool(int(properties.get("toggle-state", 0)) == 1) if kind else None,
            "children": [self.read(child) for child in children],
        }

    def answer(self, request):
        do = request["do"]
        if do == "items":
            return len([name for name, _ in self.watcher.items if self.bus.name_has_owner(name)])
        if do == "layout":
            return self.read(self.menu().GetLayout(0, -1, dbus.Array([], signature="s"))[1])["children"]
        if do == "click":
            self.menu().Event(request["id"], "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0))
            return True
        if do == "icon":
            return str(self.property("IconName"))
        if do == "notifications":
            return self.notifications.shown
        if do == "activate":
            self.notifications.ActionInvoked(request["id"], "default")
            return True
        if do == "windows":
            return self.display.windows()
        if do == "states":
            return self.display.states(request["window"])
        if do == "focus":
            return self.display.focus(request["window"])
        if do == "geometry":
            return self.display.geometry(request["window"])
        if do == "press":
            self.display.press(request["window"])
            return True
        if do == "fullscreen":
            return self.display.fullscreen(request["on"])
        if do == "close":
            for window, _ in self.display.windows():
                self.display.close(window)
            return True
        raise ValueError(f"unknown request {do!r}")

    def serve(self, line):
        try:
            reply = {"ok": self.answer(json.loads(line))}
        except Exception as error:  # the test decides what an error means
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
        return False


def main():
    session = Session()
    loop = GLib.MainLoop()

    def read_requests():
        for line in sys.stdin:
            GLib.idle_add(session.serve, line)
        GLib.idle_add(loop.quit)

    threading.Thread(target=read_requests, daemon=True).start()
    print(json.dumps({"ok": "ready"}), flush=True)
    loop.run()


main()
