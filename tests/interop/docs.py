"""The blocks of docs/azure-ad.md, run as they stand, in their order and in one folder."""

import os
import pathlib
import re
import subprocess
import sys

from checks import check, finish

HERE = pathlib.Path(__file__).resolve().parent
RUNNERS = {"bash": ["bash", "-euo", "pipefail"], "python": ["python3"], "javascript": ["node"]}
SUFFIXES = {"bash": "sh", "python": "py", "javascript": "mjs"}


def blocks(text):
    """Language, heading above and text of every block that is to run."""
    heading = ""
    for match in re.finditer(r"^##+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        heading = match[1] or heading
        if match[2] in RUNNERS:
            yield match[2], heading, match[3]


def folder():
    """A folder as a newcomer has it: `cmglab up` was started in it."""
    made = pathlib.Path("docs")
    (made / "cmglab-out").mkdir(parents=True)
    out = pathlib.Path(os.environ["CMGLAB_OUT"])
    (made / "cmglab-out" / "lab.json").symlink_to(os.environ["CMGLAB_READY"])
    (made / "cmglab-out" / out.name).symlink_to(out)
    if sys.argv[1:]:
        (made / "node_modules").symlink_to(pathlib.Path(sys.argv[1]) / "node_modules")
    return made


def environment():
    """Nothing of the checks' own; the blocks say themselves what must be trusted."""
    own = {"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PYTHONPATH"}
    clean = {name: value for name, value in os.environ.items() if name not in own}
    clean["PATH"] = f"{pathlib.Path(sys.executable).parent}:{clean['PATH']}"
    return clean


def run(number, language, text, where, env):
    script = where / f"block{number}.{SUFFIXES[language]}"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run([*RUNNERS[language], script.name], cwd=where, env=env, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0 and done.stdout.strip() != "", done.stdout


where, env = folder(), environment()
document = (HERE.parent.parent / "docs" / "azure-ad.md").read_text(encoding="utf-8")
found = list(blocks(document))
check("docs/azure-ad.md has blocks for all three languages", {one[0] for one in found} == set(RUNNERS), found)
for number, (language, heading, text) in enumerate(found, 1):
    if language == "javascript" and not sys.argv[1:]:
        print(f"skipped block {number} ({heading}): no Node")
        continue
    held, said = run(number, language, text, where, env)
    check(f"docs/azure-ad.md, block {number} ({heading}, {language}) does what it says", held, said)
    # What the first block writes is what the user's shell would have after it.
    if (where / "lab.env").exists():
        for name, value in re.findall(r"^export (\w+)=(.*)$", (where / "lab.env").read_text(), re.M):
            env[name] = value
finish()
