#!/usr/bin/python3
"""A one-node OpenStack Swift with its S3 API on loopback: one device, one replica.

Ends, with all it started, when its standard input ends: so nothing stays when a test is killed. The four servers are forked
after one import, which is most of what a start takes.

    openstack-swift.py DIR PROXY-PORT ACCOUNT-PORT CONTAINER-PORT OBJECT-PORT   says "ready" when the S3 API answers
"""
import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import socket
import sys
import time
import traceback

import swift.account.server
import swift.common.middleware.s3api.s3api
import swift.container.server
import swift.obj.server
import swift.proxy.server
from swift.common import utils, wsgi
from swift.common.ring import RingBuilder

PR_SET_PDEATHSIG = 1

COMMON = """[DEFAULT]
swift_dir = {folder}
user = {user}
bind_ip = 127.0.0.1
bind_port = {port}
# No process of its own for each worker.
workers = 0
log_level = WARNING
"""

BEHIND = """devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
recon_cache_path = {folder}
# A list shows what was put, however busy the machine is: later than this, it is left to a daemon that does not run here.
container_update_timeout = 60
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

PIPELINE = "catch_errors gatekeeper cache listing_formats s3api tempauth bulk slo dlo versioned_writes symlink"

PROXY = f"""[pipeline:main]
pipeline = {PIPELINE} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 30
node_timeout = 60
[filter:tempauth]
use = egg:swift#tempauth
user_bkp_owner = owner-secret-key .admin
user_bkp_guest = guest-secret-key
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:cache]
paste.filter_factory = __main__:cache_factory
"""

POLICY = """[swift-hash]
swift_hash_path_suffix = bkp
[storage-policy:0]
name = zero
default = yes
"""


class Cache:
    """What memcached is to the proxy, which has one process here. Nothing grows old: tests change nothing behind its back."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        # Strings as memcached keeps them, so that nobody changes what another one got.
        return json.loads(self.values[key]) if key in self.values else None

    def set(self, key, value, **_):
        self.values[key] = json.dumps(value)

    def incr(self, key, delta=1, **_):
        self.set(key, int(self.get(key) or 0) + delta)
        return self.get(key)

    def delete(self, key, **_):
        self.values.pop(key, None)


def cache_factory(_configuration, **_):
    cache = Cache()

    def wrap(app):
        def answer(env, start_response):
            env["swift.cache"] = cache
            return app(env, start_response)

        return answer

    return wrap


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def configure(folder, ports):
    os.makedirs(os.path.join(folder, "devices", "one"))
    user = pwd.getpwuid(os.getuid()).pw_name
    write(folder, "swift.conf", POLICY)
    for kind, port in ports.items():
        common = COMMON.format(folder=folder, user=user, port=port)
        if kind == "proxy":
            plain = [name for name in PIPELINE.split() if f"[filter:{name}]" not in PROXY]
            filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in plain)
            write(folder, "proxy.conf", common + PROXY + filters)
            continue
        write(folder, f"{kind}.conf", common + BEHIND.format(folder=folder, kind=kind))
        ring = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
        place = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "one", "weight": 1.0}
        ring.add_dev({**place, "replication_ip": "127.0.0.1", "replication_port": port})
        ring.rebalance()
        ring.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))


def serve(folder, kind):
    """Forks a server, which ends with this process at the latest, and says its warnings to a file."""
    pid = os.fork()
    if pid != 0:
        return pid
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(os.path.join(folder, f"{kind}.log"), os.O_WRONLY | os.O_CREAT)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)
    callback = {"global_conf_callback": swift.obj.server.global_conf_callback} if kind == "object" else {}
    try:
        wsgi.run_wsgi(os.path.join(folder, f"{kind}.conf"), f"{kind}-server", verbose=True, **callback)
    except Exception:
        traceback.print_exc()
    finally:
        # Not back to where the parent cleans up.
        sys.stderr.flush()
        os._exit(1)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main(folder, *numbers):
    ports = dict(zip(("proxy", "account", "container", "object"), map(int, numbers)))
    pids = []

    def stop(*_):
        sys.exit(1)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        configure(folder, ports)
        utils.set_swift_dir(folder)
        pids = [serve(folder, kind) for kind in ports]
        while not all(answers(port) for port in ports.values()):
            ended, _ = os.waitpid(-1, os.WNOHANG)
            if ended != 0:
                kind = list(ports)[pids.index(ended)]
                pids.remove(ended)
                with open(os.path.join(folder, f"{kind}.log"), encoding="utf-8", errors="replace") as log:
                    sys.exit(f"The {kind} server ended: {log.read()}")
            if select.select([0], [], [], 0)[0]:
                return
            time.sleep(0.05)
        print("ready", flush=True)
        while os.read(0, 100):
            pass
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
