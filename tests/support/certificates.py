"""An authority, a server's and a client's certificate, made by openssl for one test."""

import subprocess
from pathlib import Path


class Certificates:
    def __init__(self, folder: Path, name: str = "platform") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.ca = folder / f"{name}-ca.pem"
        self._ca_key = ca_key = folder / f"{name}-ca.key"
        subject = f"/CN={name} authority"
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        _openssl(*new, "-subj", subject, "-keyout", str(ca_key), "-out", str(self.ca))
        self.server, self.server_key = self._issue("server", ca_key, "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.client, self.client_key = self._issue("client", ca_key, "subjectAltName=DNS:station")

    def renew_client(self, days: int) -> None:
        """Another certificate in the place of the client's; of 0 days it is not valid any more."""
        self._issue("client", self._ca_key, "subjectAltName=DNS:station", days)

    def _issue(self, who: str, ca_key: Path, names: str, days: int = 2) -> tuple[Path, Path]:
        key, request, certificate = (self._folder / f"{who}.{kind}" for kind in ("key", "csr", "pem"))
        extensions = self._folder / f"{who}.ext"
        extensions.write_text(names)
        new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={who}"]
        _openssl(*new, "-keyout", str(key), "-out", str(request))
        signed = ["x509", "-req", "-in", str(request), "-CA", str(self.ca), "-CAkey", str(ca_key), "-CAcreateserial"]
        _openssl(*signed, "-days", str(days), "-extfile", str(extensions), "-out", str(certificate))
        return certificate, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
