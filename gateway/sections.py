"""What every section of a file that technicians write has in common, and where its secrets are kept."""

import errno
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from drivers.validated import Confidential
from gateway.written import FilePath

CREDENTIALS = Path("/etc/station-gateway/credentials")
"""The folder that our unit loads; outside of the unit, credentials are read where they lie."""
CREDENTIAL_FOLDER = "secret"
"""What systemd puts before the names of a whole folder's credentials, as our unit loads them."""


class Section(BaseModel):
    """Unknown keys are refused, and each key's docstring explains it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, strict=False)


class Secret(Section):
    """Where a secret is kept. It never stands in the YAML itself."""

    file: FilePath | None = None
    """File whose content is the secret; a line end at its end is ignored."""
    credential: str | None = None
    """Name of a file in /etc/station-gateway/credentials, or of another systemd credential (LoadCredential=)."""

    @model_validator(mode="before")
    @classmethod
    def _pointed_at(cls, value: Any) -> Any:
        written = value if isinstance(value, dict) else {}
        misspelt = written.keys() - cls.model_fields.keys()
        if not misspelt and len([name for name in written if written[name]]) != 1:
            raise Confidential("a secret is not written here; write {file: PATH} or {credential: NAME}")
        return value

    @property
    def path(self) -> Path:
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", CREDENTIALS))
        named = folder / (self.credential or "")
        loaded_whole = folder / f"{CREDENTIAL_FOLDER}_{self.credential}"
        return self.file or (loaded_whole if not named.exists() and loaded_whole.exists() else named)

    def read(self) -> str:
        """The secret. OSError where it cannot be read."""
        try:
            return self.path.read_text(encoding="utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise OSError(errno.EILSEQ, "is not UTF-8", str(self.path)) from error
