"""Runs pip with the user's settings that say how to reach packages, and without any that send packages
elsewhere or leave some out (target, user, prefix, dry-run …): run_pip.py ARGUMENT …
"""

import ast
import os
import subprocess
import sys

KEPT = set(
    "index-url extra-index-url no-index find-links trusted-host proxy cert client-cert timeout default-timeout"
    " retries cache-dir no-cache-dir keyring-provider".split()
)

# the machine's own certificates, which may have a company's; older pips know their own only
CERTIFICATES = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
]

pip = [sys.executable, "-I", "-m", "pip"]  # -I: nothing from the working folder or PYTHONPATH
variable = lambda key: "PIP_" + key.upper().replace("-", "_")
kept = {variable(key) for key in KEPT}
environment = {
    name: value for name, value in os.environ.items() if value and (name in kept or not name.startswith("PIP_"))
}
environment.update(PIP_QUIET="0", PIP_VERBOSE="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")

files = {"PIP_CONFIG_FILE": os.environ["PIP_CONFIG_FILE"]} if os.environ.get("PIP_CONFIG_FILE") else {}
listed = subprocess.run([*pip, "config", "list"], env={**environment, **files}, stdout=subprocess.PIPE)
settings = {}
for line in listed.stdout.decode(errors="replace").splitlines():
    name, _, value = line.partition("=")
    section, _, key = name.rpartition(".")
    if key in KEPT and (section != "global" or key not in settings):  # a command's own section goes first
        settings[key] = ast.literal_eval(value)
for key, value in settings.items():
    environment.setdefault(variable(key), value)

if not environment.keys() & {"PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}:
    for path in [os.environ.get("SSL_CERT_FILE", ""), *CERTIFICATES]:
        if os.path.isfile(path):
            environment["PIP_CERT"] = path
            break

environment.update(PIP_CONFIG_FILE=os.devnull, PIP_ROOT_USER_ACTION="ignore", PYTHONUNBUFFERED="1")
os.execve(sys.executable, [*pip, *sys.argv[1:]], environment)
