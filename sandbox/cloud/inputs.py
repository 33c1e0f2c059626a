"""The inputs of an instance, as `stacks/user-data.ts` writes them and its processes find them in their environment."""

import base64
import re
from typing import Any

import yaml

_ASSIGNMENT = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"$', re.MULTILINE | re.DOTALL)


def decoded(user_data: Any) -> str:
    if not user_data:
        return ""
    text = user_data if isinstance(user_data, bytes) else str(user_data).encode()
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return text.decode(errors="replace")


def inputs_of(instance: Any) -> dict[str, str]:
    """Empty for an instance whose user data are not Handover's."""
    text = decoded(instance.user_data)
    if not text.startswith("#cloud-config-archive"):
        return {}
    for part in yaml.safe_load(text):
        config = yaml.safe_load(part["content"]) if part.get("type") == "text/cloud-config" else None
        for file in (config or {}).get("write_files", []):
            if file["path"].endswith("/inputs.env"):
                return {name: _unquoted(value) for name, value in _ASSIGNMENT.findall(file["content"])}
    return {}


def _unquoted(value: str) -> str:
    return re.sub(r'\\(["\\$`])', r"\1", value)
