"""What deploy/ describes is done for real: the image, the unit, and the proxies before them.

No Docker is needed (stage/container.py). Everything is reached from another host.
"""

import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from stage import container
from stage.callers import PASSWORD
from stage.container import ADDRESS, CLIENT, OTHER_CLIENT, Host, Image
from stage.postgres import NoPostgres, postgres
from stage.servers import PATIENCE, ROOT, NoAnswer, Remote, Wire, wait_until
from tests.deploy.needs import lack, need
from tests.test_tour import copy_tracked_files

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
HERE = f"http://{ADDRESS}:8000"
NAME = "commontime.example.org"  # of the sample files
FORGED = "203.0.113.9"
CHOIR = {"name": "Choir", "is_finalized": False}


@pytest.fixture(scope="module")
def host(tmp_path_factory) -> Iterator[Host]:
    try:
        with container.open_host(tmp_path_factory.mktemp("host")) as host:
            yield host
    except container.NoContainer as reason:
        lack(str(reason))


@pytest.fixture(scope="module")
def image(host, tmp_path_factory) -> Image:
    context = tmp_path_factory.mktemp("context")
    copy_tracked_files(context)
    return host.build(context / "deploy/Dockerfile", context)


@pytest.fixture
def data(host, image) -> Iterator[Path]:
    """The image's empty data folder, which is emptied again."""
    folder = host.files(image, "/data")
    yield folder
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


class Guest(Wire):
    """Connections from the other host."""

    def __init__(self, host: Host) -> None:
        super().__init__(8000, ADDRESS)
        self.host = host

    def request(self, *arguments: Any, **options: Any) -> Any:
        return self.host.outside.submit(super().request, *arguments, **options).result()


def is_ready(host: Host) -> bool:
    try:
        return Guest(host).request("GET", "/readyz", None, {}, timeout=5).status_code == 200
    except NoAnswer:
        return False


@contextmanager
def running(host: Host, image: Image, log: Path, **options: Any) -> Iterator[Any]:
    """Run the image's own command until it answers, and stop it in the end."""
    options = {"COMMONTIME_BASE_URL": HERE, **options}
    process = host.start(image, log=log, **options)
    try:
        wait_until(lambda: process.poll() is not None or is_ready(host))
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if process.poll() is None:
            assert container.stop(process) == 0


def sign_up(host: Host, name: str) -> Remote:
    account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    person = Remote(client=Guest(host), name=name)
    answer = person.post("/signup/", {**account, "first_name": name, "last_name": ""})
    assert answer.status_code == 201, answer.text
    person.id = answer.data["id"]
    return person.sign_in()


def live(host: Host, data: Path) -> None:
    """Do what takes each process and library: a meeting is planned, and mailed."""
    mina = sign_up(host, "mina")
    path = f"/calendars/{mina.post('/calendars/', CHOIR).data['id']}"
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 14 * 86400))
    times = {"start_time": f"{day}T09:00:00Z", "end_time": f"{day}T12:00:00Z"}
    assert mina.post(f"{path}/nonbusytimes/", {**times, "preference_level": 8}).status_code == 201
    deadline = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 7 * 86400))
    meeting = {"title": "Concert", "deadline": deadline, "required": [mina.id]}
    assert mina.post(f"{path}/meetings/", meeting).status_code == 201
    assert mina.post(f"{path}/plan/", {"time_limit_s": 10}).status_code in (200, 202)
    wait_until(lambda: mina.get(f"{path}/plan/").data["status"] == "done")
    assert mina.post(f"{path}/plan/apply/").data["status"] == "applied"
    wait_until(lambda: list((data / "mail").glob("*.eml")))


# The image ----------------------------------------------------------------------------------------


def test_the_image_runs_with_its_own_settings_alone(host, image, data, tmp_path):
    with running(host, image, tmp_path / "log") as process:
        live(host, data)
        [main] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        status = Path(f"/proc/{main}/status").read_text()

    assert re.search(r"^Uid:\s10001\s10001\s10001\s10001$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s0+$", status, re.MULTILINE)
    assert {path.stat().st_uid for path in data.rglob("*")} == {10001}
    assert {path.stat().st_mode & 0o077 for path in data.rglob("*")} == {0}
    assert f"Commontime {version()}: {HERE}" in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


def version() -> str:
    from commontime import __version__

    return __version__


def test_by_default_the_image_answers_to_localhost(host, image, data, tmp_path):
    with running(host, image, tmp_path / "log", COMMONTIME_BASE_URL="http://localhost:8000"):
        wire = Guest(host)
        assert wire.request("GET", "/app/sign-in/", None, {"Host": "localhost"}).status_code == 200
        assert wire.request("GET", "/app/sign-in/", None, {"Host": ADDRESS}).status_code == 400


def test_a_new_container_keeps_what_was_in_its_volume(host, image, data, tmp_path):
    with running(host, image, tmp_path / "log"):
        mina = sign_up(host, "mina")

    with running(host, image, tmp_path / "log"):
        mina.client.forget()
        assert mina.get("/profile/").data["username"] == "mina"


def test_the_health_check_notices_when_nothing_answers(host, image, data, tmp_path):
    def check() -> int:
        return host.start(image, *image.healthcheck).wait(PATIENCE)

    assert check() != 0
    with running(host, image, tmp_path / "log"):
        wait_until(lambda: check() == 0)


def test_commands_run_beside_it(host, image, data, tmp_path):
    with running(host, image, tmp_path / "log"):
        sign_up(host, "mina")
        process = host.start(image, "commontime", "deactivate", "mina")
        assert process.wait(PATIENCE) == 0
        answer = Remote(client=Guest(host)).post(
            "/login/", {"username": "mina", "password": PASSWORD}
        )
    assert answer.status_code == 401


def test_it_runs_as_any_user_who_owns_the_data_folder(host, image, data, tmp_path):
    shutil.chown(data, 4321, 4321)
    try:
        with running(host, image, tmp_path / "log", user="4321"):
            sign_up(host, "mina")
    finally:
        shutil.chown(data, 10001, 10001)


def test_a_data_folder_of_somebody_else_ended_in_a_traceback(host, image, data):
    shutil.chown(data, 0, 0)
    try:
        process = host.start(image)
        said = process.communicate(timeout=PATIENCE)[0].decode()
    finally:
        shutil.chown(data, 10001, 10001)

    assert process.returncode == 1
    assert said.startswith(
        "Commontime does not start: COMMONTIME_DATA_DIR is /data, where user 10001 "
    )
    assert "chown" in said


def test_nothing_is_compiled_at_a_start(host, image, data):
    process = host.start(image, "python", "-v", "-m", "commontime.program.cli", "settings")
    said = process.communicate(timeout=PATIENCE)[0].decode()

    assert process.returncode == 0
    assert "matches /usr/local/lib/python3.13/site-packages/commontime/config/settings.py" in said
    assert [line for line in said.splitlines() if line.startswith("# code object from /")] == []


def test_it_runs_on_postgresql(host, image, data, tmp_path):
    with ExitStack() as stack:
        try:
            url = host.inside.submit(stack.enter_context, postgres()).result()
        except NoPostgres as reason:
            lack(str(reason))
        with running(host, image, tmp_path / "log", DATABASE_URL=url):
            live(host, data)
            backup = host.start(image, "commontime", "backup", "first.tar.gz", DATABASE_URL=url)
            assert backup.wait(PATIENCE) == 0

    assert (data / "first.tar.gz").exists()
    assert not (data / "commontime.sqlite3").exists()


# The unit -----------------------------------------------------------------------------------------


@pytest.fixture
def service(host, image) -> Iterator[Any]:
    """The unit under systemd, as deploy/commontime.service says to install it."""
    need("systemctl", "systemd")
    program = host.files(image, "/opt/commontime/bin/commontime")
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.symlink_to("/usr/local/bin/commontime")
    units = host.files(image, "/etc/systemd/system")
    shutil.copy(ROOT / "deploy/commontime.service", units)
    (units / "commontime.service.d").mkdir(exist_ok=True)
    # Nobody keeps a journal there.
    (units / "commontime.service.d/log.conf").write_text(
        "[Service]\nStandardOutput=append:/var/log/commontime.log\nStandardError=inherit\n"
    )
    helper = host.files(image, "/opt/commontime/commontime.sh")
    shutil.copy(ROOT / "deploy/commontime.sh", helper)
    helper.chmod(0o755)
    host.files(image, "/etc/commontime.env").write_text(
        f"COMMONTIME_BASE_URL={HERE}\nCOMMONTIME_HOST=0.0.0.0\n"
        "COMMONTIME_MAIL_FROM=Commontime <commontime@example.org>\n"
    )
    process = host.boot(image, "commontime.service")
    try:
        wait_until(lambda: is_ready(host))
        yield process
    finally:
        process.kill()
        process.wait()


def test_systemd_runs_the_unit_as_closed_as_it_is(host, image, service):
    live(host, host.files(image, "/var/lib/commontime"))
    commands_run_beside_it(host, image, service)

    host.system(service, "systemctl", "kill", "-s", "KILL", "--kill-who=main", "commontime")
    wait_until(lambda: not is_ready(host))
    wait_until(lambda: is_ready(host))
    assert "NRestarts=1" in host.system(service, "systemctl", "show", "commontime")
    host.system(service, "systemctl", "stop", "commontime")
    shown = host.system(service, "systemctl", "show", "commontime")

    assert "\nResult=success\n" in shown
    assert "\nExecMainStatus=0\n" in shown
    log = host.files(image, "/var/log/commontime.log").read_text()
    assert "Traceback" not in log
    assert "Operation not permitted" not in log


def commands_run_beside_it(host: Host, image: Image, service: Any) -> None:
    """Run commands as root, with the settings of the service and as its user."""
    said = host.system(service, "/opt/commontime/commontime.sh", "check")
    assert "WRONG" not in said
    assert f"base URL: {HERE} answers" in said
    host.system(service, "/opt/commontime/commontime.sh", "backup", "first.tar.gz")
    data = host.files(image, "/var/lib/commontime")
    made, database = (data / "first.tar.gz").stat(), (data / "commontime.sqlite3").stat()
    assert stat.S_IMODE(made.st_mode) == 0o600
    assert made.st_uid == database.st_uid != 0


# The proxies --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(host, image) -> None:
    """The certificate that the sample of nginx names."""
    files = ["-keyout", "/etc/ssl/private/commontime.key", "-out", "/etc/ssl/commontime.pem"]
    create = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files]
    process = host.serve(image, *create, "-subj", f"/CN={NAME}")
    assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="module", params=["Caddyfile", "nginx.conf"])
def proxy(request, host, image, certificate, tmp_path_factory) -> Iterator[Path]:
    """A sample in use on the product's own machine. Returns the product's log."""
    folder = tmp_path_factory.mktemp("proxy")
    environment = {
        "COMMONTIME_HOST": "127.0.0.1",
        "COMMONTIME_BASE_URL": f"https://{NAME}",
        "COMMONTIME_TRUSTED_PROXIES": "127.0.0.1",
    }
    server = {"Caddyfile": caddy, "nginx.conf": nginx}[request.param](host, image, folder)
    product = host.start(image, log=folder / "log", **environment)
    try:
        wait_until(lambda: answers(host))
        yield folder / "log"
    finally:
        server.kill()
        server.wait()
        assert container.stop(product) == 0


def caddy(host: Host, image: Image, folder: Path) -> subprocess.Popen[bytes]:
    shutil.copy(Path(sys.executable).parent / "caddy", host.files(image, "/usr/local/bin"))
    settings = host.files(image, "/etc/caddy")
    settings.mkdir(exist_ok=True)
    shutil.copy(ROOT / "deploy/Caddyfile", settings / "sample")
    # No authority gives a certificate here.
    (settings / "Caddyfile").write_text(
        "{\n\tlocal_certs\n\tskip_install_trust\n}\nimport sample\n"
    )
    command = ["/usr/local/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile"]
    return host.serve(image, *command, log=folder / "caddy")


def nginx(host: Host, image: Image, folder: Path) -> subprocess.Popen[bytes]:
    program = need("nginx", "nginx")
    sites = host.files(image, "/etc/nginx/sites-enabled")
    for site in sites.iterdir():
        site.unlink()
    shutil.copy(ROOT / "deploy/nginx.conf", sites / "commontime")
    return host.serve(image, program, "-g", "daemon off;", log=folder / "nginx")


def ask(host: Host, path: str, *, scheme: str = "https", **options: Any) -> httpx.Response:
    """Send a request to the sample's name, by default from CLIENT."""
    client, method = options.pop("client", CLIENT), options.pop("method", "GET")
    headers = [("Host", NAME), *options.pop("headers", [])]

    def send() -> httpx.Response:
        transport = httpx.HTTPTransport(local_address=client, verify=False)
        with httpx.Client(transport=transport, trust_env=False, timeout=PATIENCE) as session:
            return session.request(
                method,
                f"{scheme}://{ADDRESS}{path}",
                headers=headers,
                extensions={"sni_hostname": NAME},
                **options,
            )

    return host.outside.submit(send).result()


def answers(host: Host) -> bool:
    try:
        return ask(host, "/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_proxy_passes_on_the_host_name_over_tls_alone(host, proxy):
    page = ask(host, "/app/sign-in/")
    plain = ask(host, "/app/sign-in/", scheme="http")

    assert page.status_code == 200
    assert "__Host-csrf" in page.cookies
    assert plain.status_code in (301, 308)
    assert plain.headers["location"] == f"https://{NAME}/app/sign-in/"


def known_address(host: Host, log: Path, headers: list[tuple[str, str]], client: str) -> str:
    """Return the address that a wrong password is counted for."""
    name = f"nobody-{time.monotonic_ns()}"
    body = {"username": name, "password": "wrong"}
    answer = ask(host, "/login/", method="POST", json=body, headers=headers, client=client)
    assert answer.status_code == 401, answer.text
    found = wait_until(lambda: re.search(f"'{name}' from (\\S+)", log.read_text()))
    return str(found[1])


@pytest.mark.parametrize("client", [CLIENT, OTHER_CLIENT])
def test_behind_a_proxy_everybody_has_their_own_address(host, proxy, client):
    assert known_address(host, proxy, [], client) == client


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "X_Forwarded_For", "x_forwarded_for", "X_Forwarded-For", "X-Forwarded_For"],
)
def test_through_a_proxy_a_header_chose_the_clients_address(host, proxy, name):
    """Python reads an underscore as a dash. 12 of 12 tries went through Caddy's plain sample."""
    for _ in range(3):
        assert known_address(host, proxy, [(name, FORGED)], CLIENT) == CLIENT


@pytest.mark.parametrize("name", ["X-Request-ID", "X_Request_ID"])
def test_through_a_proxy_a_client_chose_the_id_of_its_log_lines(host, proxy, name):
    answer = ask(host, "/healthz", headers=[(name, "chosen-by-the-client")])

    assert re.fullmatch("[0-9a-f-]{32,36}", answer.headers["X-Request-ID"])


def test_behind_a_proxy_slow_senders_stopped_everything(host, proxy):
    slow = [host.outside.submit(begin_slowly).result() for _ in range(16)]
    try:
        time.sleep(1)
        for path in ("/healthz", "/readyz", "/app/sign-in/"):
            began = time.monotonic()
            assert ask(host, path).status_code == 200
            assert time.monotonic() - began < 2
    finally:
        for connection in slow:
            connection.close()


def begin_slowly() -> ssl.SSLSocket:
    """Send one byte of a thousand."""
    trusting = ssl._create_unverified_context()
    connection = trusting.wrap_socket(
        socket.create_connection((ADDRESS, 443), timeout=PATIENCE), server_hostname=NAME
    )
    connection.sendall(
        f"POST /login/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n{".encode()
    )
    return connection


def test_a_large_body_is_told_so_through_a_proxy(host, proxy):
    answer = ask(host, "/login/", method="POST", content=b"x" * 1_100_000)

    assert answer.status_code in (400, 413)
