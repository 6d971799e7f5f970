"""The Compose files fit together, and nothing is open that need not be.

docker-compose reads them; nothing is started.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from commontime.config import env
from stage.servers import ROOT
from tests.deploy.needs import need

DEPLOY = ROOT / "deploy"
ALONE = "compose.yml"
POSTGRESQL = f"{ALONE}:compose.postgresql.yml"
CADDY = f"{ALONE}:compose.caddy.yml"
ALL = f"{POSTGRESQL}:compose.caddy.yml"
SET = {"COMMONTIME_BASE_URL": "https://plan.example.org", "POSTGRES_PASSWORD": "secret"}
# What Docker, PostgreSQL and Caddy read, and not Commontime.
OTHERS = {"COMPOSE_FILE", "COMMONTIME_PUBLISH", "COMMONTIME_UPSTREAM", "POSTGRES_PASSWORD"}


def config(files: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = need("docker-compose", "docker-compose")
    return subprocess.run(
        [program, "config"],
        cwd=DEPLOY,
        env={"PATH": os.environ["PATH"], "COMPOSE_FILE": files, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def services(files: str, **environment: str) -> dict[str, Any]:
    done = config(files, **environment)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def ports(service: dict[str, Any]) -> list[str]:
    """Return `[address:]port:port`, as the first docker-compose and the second one write it."""
    return [
        each
        if isinstance(each, str)
        else ":".join(str(each[key]) for key in ("host_ip", "published", "target") if key in each)
        for each in [
            port.partition("/")[0] if isinstance(port, str) else port
            for port in service.get("ports", [])
        ]
    ]


def volumes(service: dict[str, Any]) -> list[str]:
    return [
        each if isinstance(each, str) else f"{each['source']}:{each['target']}"
        for each in service["volumes"]
    ]


def test_without_any_setting_it_starts_for_this_machine_alone():
    [(name, service)] = services(ALONE).items()

    assert name == "commontime"
    assert service["environment"]["COMMONTIME_BASE_URL"] == "http://localhost:8000"
    assert ports(service) == ["127.0.0.1:8000:8000"]
    assert volumes(service)[0].startswith("data:/data")
    assert service["build"]["context"] == str(ROOT)
    assert (ROOT / service["build"]["dockerfile"]).exists()


def test_one_line_opens_it_to_a_home_network():
    [service] = services(ALONE, COMMONTIME_PUBLISH="8000").values()

    assert ports(service) == ["8000:8000"]


@pytest.mark.parametrize("files", [ALONE, ALL])
def test_the_container_may_do_no_more_than_it_needs(files):
    service = services(files, **SET)["commontime"]

    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_with_postgresql_it_waits_for_it_and_nobody_else_reaches_it():
    both = services(POSTGRESQL, **SET)

    assert both["commontime"]["depends_on"]["postgresql"]["condition"] == "service_healthy"
    assert ports(both["postgresql"]) == []
    url = urlsplit(both["commontime"]["environment"]["DATABASE_URL"])
    assert url.hostname == "postgresql"
    assert url.username == both["postgresql"]["environment"]["POSTGRES_USER"]
    assert url.path == f"/{url.username}"  # the image names the database after its user
    # A URL could not hold every password. libpq reads this variable, if the URL has none.
    assert url.password is None
    assert both["commontime"]["environment"]["PGPASSWORD"] == "secret"
    assert both["postgresql"]["environment"]["POSTGRES_PASSWORD"] == "secret"


@pytest.mark.parametrize(
    ("files", "missing"), [(POSTGRESQL, "POSTGRES_PASSWORD"), (CADDY, "COMMONTIME_BASE_URL")]
)
def test_what_has_no_default_is_asked_for(files, missing):
    done = config(files, **{name: value for name, value in SET.items() if name != missing})

    assert done.returncode != 0
    assert f"Set {missing} in .env" in done.stderr


def test_caddy_alone_is_believed_and_open():
    everything = services(ALL, **SET)

    caddy, commontime = everything["caddy"], everything["commontime"]
    [address] = [network["ipv4_address"] for network in caddy["networks"].values()]
    assert commontime["environment"]["COMMONTIME_TRUSTED_PROXIES"] == address
    assert caddy["environment"]["COMMONTIME_BASE_URL"] == SET["COMMONTIME_BASE_URL"]
    assert caddy["environment"]["COMMONTIME_UPSTREAM"] == "commontime:8000"
    assert sorted(ports(caddy)) == ["443:443", "443:443", "80:80"]
    assert volumes(caddy)[1].startswith(f"{DEPLOY}/Caddyfile:/etc/caddy/Caddyfile")
    assert ports(commontime) == ["127.0.0.1:8000:8000"]


def test_the_sample_for_caddy_reads_what_compose_says():
    told = services(CADDY, **SET)["caddy"]["environment"]
    command = [Path(sys.executable).parent / "caddy", "adapt", "--config", DEPLOY / "Caddyfile"]

    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"], **told}, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert '"host":["plan.example.org"]' in done.stdout
    assert '"dial":"commontime:8000"' in done.stdout
    # The Caddy that runs here drops them anyway. Older ones don't.
    assert '"delete":["*_*"]' in done.stdout


@pytest.mark.parametrize("name", ["compose.yml", "commontime.env", "commontime.service"])
def test_every_variable_is_one_that_somebody_reads(name):
    written = (DEPLOY / name).read_text()

    variables = set(re.findall(r"\b(?:COMMONTIME|POSTGRES|COMPOSE|DATABASE)_[A-Z_]+\b", written))
    assert variables - OTHERS <= env.READ.keys()


def test_the_example_of_settings_sets_one_thing_and_shows_the_rest():
    lines = (DEPLOY / "commontime.env").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == [
        "COMMONTIME_BASE_URL=https://commontime.example.org"
    ]
    shown = "\n".join(line.removeprefix("#") for line in lines if re.match(r"#?[A-Z_]+=", line))
    assert "COMPOSE_FILE=" + ALL in shown
