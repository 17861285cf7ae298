"""Certificates made by openssl for the tests: a CA, and what it signs."""

import os
import shutil
import subprocess
import tempfile


class Certificates:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="millrace-tls-")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-subj", "/CN=Millrace test CA", "-keyout", self.path("ca.key"), "-out", self.ca)

    @property
    def ca(self):
        return self.path("ca.pem")

    def path(self, name):
        return os.path.join(self.directory, name)

    def pair(self, name):
        """The files of a certificate that was made, and of its key."""
        return self.path(f"{name}.pem"), self.path(f"{name}.key")

    def make(self, name, alternatives, rsa=False):
        """A certificate and its key: the options of `millrace serve` for them."""
        key, request, certificate = (self.path(f"{name}.{kind}") for kind in ("key", "csr", "pem"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self._openssl("req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions = self.path(f"{name}.ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternatives}\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.path("ca.key"), "-CAcreateserial",
                      "-days", "30", "-extfile", extensions, "-out", certificate)
        return ["--tls-cert", certificate, "--tls-key", key]

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)
