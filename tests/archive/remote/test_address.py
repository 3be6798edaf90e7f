"""Addresses and credentials of archives: what is read, what is refused, and that secrets are in no text."""

import subprocess

import pytest

from x2x_core.archive.remote.address import DIMSE, WEB, DimseAddress, WebAddress, read_address
from x2x_core.archive.remote.credentials import Credentials
from x2x_core.archive.remote.opening import open_archive
from x2x_core.common.errors import InputError, InputNotFoundError

SECRET = "tr0ub4dor"


def test_addresses_are_read():
    assert read_address("https://pacs.example.org:8443/dicom-web/", {}) == WebAddress(
        "https://pacs.example.org:8443/dicom-web", "pacs.example.org", True
    )
    plain = read_address("dicom://MAIN PACS@10.0.0.8", {})
    assert plain == DimseAddress("10.0.0.8", 104, "MAIN PACS") and plain.calling == "X2X" and plain.listen is None
    full = read_address("dicoms://PACS@[::1]:2762?calling=LAB&listen=11113", {})
    assert full == DimseAddress("::1", 2762, "PACS", "LAB", True, 11113) and full.is_private
    assert read_address(None, {"X2X_ARCHIVE": "http://localhost:8042/dicom-web"}).is_private
    assert not read_address("http://pacs.example.org/dicom-web", {}).is_private


@pytest.mark.parametrize(
    "text",
    ["", "pacs.example.org", "ftp://pacs.example.org", "https://", "dicom://@host:104", "dicom://host:104",
     "dicom://A-TITLE-THAT-IS-TOO-LONG@host", "dicom://A@host?listen=0", "dicom://A@host?listen=x",
     "dicom://A@host?password=x", "dicom://A@host/path", "https://host/dicom-web?x=1", "http://host:port/",
     "dicom://A@host?calling=TOO-LONG-A-TITLE-TOO"],
)  # fmt: skip
def test_other_addresses_are_refused(text):
    with pytest.raises(InputError, match=r"^`archive` must"):
        read_address(text, {})


@pytest.mark.parametrize("text", [f"https://lab:{SECRET}@host/dicom-web", f"dicom://PACS:{SECRET}@host:104"])
def test_passwords_in_addresses_are_refused_and_not_repeated(text):
    with pytest.raises(InputError, match="X2X_ARCHIVE_PASSWORD") as refused:
        read_address(text, {})
    assert SECRET not in str(refused.value)


def test_each_command_has_its_schemes():
    with pytest.raises(InputError, match=r"must begin with https:// or http:// here.*x2x dimse"):
        read_address("dicom://PACS@host", {}, WEB)
    with pytest.raises(InputError, match=r"must begin with dicoms:// or dicom:// here.*x2x dicomweb"):
        read_address("https://host/dicom-web", {}, DIMSE)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"X2X_ARCHIVE_USER": "lab"}, "belong together"),
        ({"X2X_ARCHIVE_PASSWORD": SECRET}, "belong together"),
        (
            {"X2X_ARCHIVE_USER": "lab", "X2X_ARCHIVE_PASSWORD": SECRET, "X2X_ARCHIVE_TOKEN": SECRET},
            "exclude each other",
        ),
        ({"X2X_ARCHIVE_USER": "a:b", "X2X_ARCHIVE_PASSWORD": SECRET}, "colon"),
        ({"X2X_ARCHIVE_TOKEN": f"{SECRET}\r\nX-Other: 1"}, "one line"),
        ({"X2X_ARCHIVE_TOKEN": f"{SECRET}é"}, "ASCII"),
        ({"X2X_ARCHIVE_KEY": __file__}, "requires X2X_ARCHIVE_CERTIFICATE"),
        ({"X2X_ARCHIVE_CA": __file__}, "PEM file with certificates"),
        ({"X2X_ARCHIVE_CERTIFICATE": __file__}, "a certificate and its key"),
        ({"X2X_ARCHIVE_UNENCRYPTED": "no"}, "must be yes"),
    ],
)
def test_unusable_credentials_are_refused_and_not_repeated(variables, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        Credentials.from_environment(variables)
    assert SECRET not in str(refused.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(InputNotFoundError, match=r"X2X_ARCHIVE_CA must name an existing file, got `none\.pem`\."):
        Credentials.from_environment({"X2X_ARCHIVE_CA": "none.pem"})


def test_an_encrypted_key_is_refused_and_not_asked_for(tmp_path):
    pytest.importorskip("resource")
    key, certificate = tmp_path / "own.key", tmp_path / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-batch", "-subj", "/CN=x", "-passout", "pass:abcd"]
    try:
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    with pytest.raises(InputError, match="must not be encrypted"):
        Credentials.from_environment({"X2X_ARCHIVE_CERTIFICATE": str(certificate), "X2X_ARCHIVE_KEY": str(key)})


def test_secrets_are_in_no_text_of_credentials():
    for variables in (
        {"X2X_ARCHIVE_USER": "lab", "X2X_ARCHIVE_PASSWORD": SECRET},
        {"X2X_ARCHIVE_TOKEN": SECRET},
    ):
        read = Credentials.from_environment(variables)
        assert read.has_secret and SECRET not in f"{read!r} {read}"


@pytest.mark.parametrize("address", ["http://pacs.example.org/dicom-web", "dicom://PACS@pacs.example.org"])
def test_secrets_do_not_cross_the_network_unencrypted_unless_asked_to(address):
    own = {"X2X_ARCHIVE_USER": "lab", "X2X_ARCHIVE_PASSWORD": SECRET}
    with pytest.raises(InputError, match="anybody on the way") as refused:
        open_archive(address, environment=own)
    assert SECRET not in str(refused.value)
    open_archive(address, environment={**own, "X2X_ARCHIVE_UNENCRYPTED": "yes"})
    open_archive(address, environment={})
    open_archive(address.replace("://", "s://"), environment=own)
