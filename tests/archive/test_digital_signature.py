"""DICOM digital signatures (PS3.15 annex C) by DCMTK's dcmsign: results can be signed, and verify as before."""

import shutil
import subprocess

import pydicom
import pytest
from archive_cases import COMPLETE, draw, write_results
from dicom_cases import IDENTITY, write
from signing_cases import write_chain

from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.verification import verify
from x2x_core.archive.writing import FILES

pytestmark = pytest.mark.skipif(shutil.which("dcmsign") is None, reason="dcmsign of dcmtk is not installed: not signed")
END = "-----END CERTIFICATE-----\n"


def dcmsign(*arguments):
    return subprocess.run(["dcmsign", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mode", ["remove", "keep"])
def test_signed_results_verify_and_a_changed_pixel_breaks_the_signature(tmp_path, mode):
    pytest.importorskip("cryptography")
    chain = write_chain(tmp_path / "chain", "ps256")
    authority = tmp_path / "authority.pem"
    authority.write_text(chain.certificate.read_text().split(END)[1] + END)
    trust = ("--verify", "+rg", "+cf", chain.root, "+uf", authority)
    film = write(tmp_path / "a.dcm", draw(12), 12, **{**IDENTITY, **COMPLETE})
    write_results(tmp_path / "out", film, DicomSettings(mode))
    for name in FILES:
        signed = tmp_path / f"signed-{name}"
        done = dcmsign("+s", chain.key, chain.certificate, "+pc", "+m2", tmp_path / "out" / name, signed)
        assert done.returncode == 0, done.stderr
        assert "Signature Verification : OK" in dcmsign(*trust, signed).stderr
        assert "DigitalSignaturesSequence" in pydicom.dcmread(signed) and verify(signed, film).holds, name
    made = pydicom.dcmread(tmp_path / "signed-edited.dcm")
    made.PixelData = bytes([made.PixelData[0] ^ 1]) + made.PixelData[1:]
    made.save_as(tmp_path / "changed.dcm")
    assert "Signature Verification : OK" not in dcmsign(*trust, tmp_path / "changed.dcm").stderr
    assert verify(tmp_path / "changed.dcm").is_unaltered is False
