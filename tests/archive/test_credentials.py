"""Content credentials: who signed a picture, and whether it is still the one that was signed."""

import builtins
import io
import json
import os
import zlib

import cv2
import numpy as np
import pytest
from archive_cases import PARAMETERS, write_pictures
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image
from signing_cases import write_chain

from x2x_core.archive.credentials.key import KEY_VARIABLE, PASSPHRASE_VARIABLE, SigningFiles, load_key
from x2x_core.archive.credentials.media import JPEG, PNG, TIFF
from x2x_core.archive.credentials.reading import check_credentials, read_trusted
from x2x_core.archive.credentials.signing import COMPOSITE, Ingredient, Signer, Statement
from x2x_core.archive.signed_copy import sign_copy
from x2x_core.archive.verification import NO_RECORD, PROVEN, UNCHECKED, UNSIGNED, summary, verify
from x2x_core.common.errors import InputError, InputNotFoundError, MissingExtraError

c2pa = pytest.importorskip("c2pa")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def signer(chain):
    return Signer.load(SigningFiles(chain.key, chain.certificate))


@pytest.fixture
def signed(tmp_path, signer):
    """An original, and its edit with a credential."""
    original, edited = write_pictures(tmp_path)
    edited.write_bytes(sign_copy(edited, "edited.png", signer))
    return original, edited


def encoded(values, kind):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def values_of(kind):
    values = np.random.default_rng(3).integers(0, 65536, (20, 30)).astype(np.uint16)
    return (values >> 8).astype(np.uint8) if kind == "JPEG" else values


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", PNG), ("JPEG", JPEG), ("TIFF", TIFF)])
def test_signing_leaves_every_pixel_as_it_is_and_the_library_s_own_reader_agrees(signer, chain, kind, media_type):
    data, record = encoded(values_of(kind), kind), {"parameters": {"seed": 3, "levels": [1, 2], "name": "Zoë"}}
    ingredient = Ingredient("chest.png", encoded(values_of("PNG"), "PNG"), "ab" * 32)
    made = signer.sign(data, media_type, Statement("edited", COMPOSITE, record, ingredient))
    assert made != data and np.array_equal(decoded(made), decoded(data))
    trust = {"trust": {"trust_anchors": chain.root.read_text()}}
    with c2pa.Reader(media_type, io.BytesIO(made), context=c2pa.Context.from_dict(trust)) as reader:
        found = json.loads(reader.json())
    assert found["validation_state"] == "Trusted"
    manifest = found["manifests"][found["active_manifest"]]
    actions = next(item for item in manifest["assertions"] if item["label"].startswith("c2pa.actions"))
    assert [action["action"] for action in actions["data"]["actions"]] == ["c2pa.opened", "c2pa.edited"]
    assert actions["data"]["actions"][1]["digitalSourceType"] == COMPOSITE
    (source,) = manifest["ingredients"]
    assert (source["title"], source["relationship"]) == ("chest.png", "parentOf") and "thumbnail" not in source
    assert "thumbnail" not in manifest
    check = check_credentials(made, read_trusted(chain.root))
    assert check.is_valid and check.is_trusted and check.record == record and check.inputs == ("chest.png",)
    assert check.signer == "Radiology research, Hospital of Tests"


def test_an_ingredient_that_holds_no_credentials_is_named_all_the_same(signer):
    statement = Statement("map", COMPOSITE, {}, Ingredient("DICOM", bytes(128) + b"DICM", "ab" * 32), is_edit=False)
    check = check_credentials(signer.sign(encoded(values_of("PNG"), "PNG"), PNG, statement))
    assert check.is_valid and check.inputs == ("DICOM",)


@pytest.mark.parametrize("kind", ["ed25519", "es384", "es512", "ps256"])
def test_keys_of_each_kind_sign(tmp_path, kind):
    chain = write_chain(tmp_path, kind)
    made = Signer.load(SigningFiles(chain.key, chain.certificate)).sign(
        encoded(values_of("PNG"), "PNG"), PNG, Statement("a", COMPOSITE, {}, Ingredient("b", b"", ""))
    )
    assert check_credentials(made, read_trusted(chain.root)).is_trusted


def test_a_signed_result_is_verified_with_trust_and_without(signed, chain, tmp_path):
    original, edited = signed
    found = verify(edited, original, chain.root)
    assert found.holds and found.credential.is_trusted and found.original.changed_outside == 0
    said = " ".join(summary(found))
    assert "valid, signed by Radiology research, Hospital of Tests" in said and "leads to a trusted one" in said
    assert PROVEN in said and UNSIGNED not in said and "compositeWithTrainedAlgorithmicMedia" in said
    assert json.loads(json.dumps(found.as_dict()))["credential"]["is_trusted"] is True
    without = verify(edited, original)
    assert without.holds and without.credential.is_trusted is None and "not checked" in " ".join(summary(without))
    stranger = write_chain(tmp_path / "stranger")
    other = verify(edited, original, stranger.root)
    assert not other.holds and other.credential.is_valid and "NO TRUSTED one" in " ".join(summary(other))


def test_an_authority_below_the_root_can_be_trusted_and_the_signer_s_own_certificate_is_none(signed, chain, tmp_path):
    own, authority = x509.load_pem_x509_certificates(chain.certificate.read_bytes())
    for name, certificate in (("own", own), ("authority", authority)):
        (tmp_path / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    assert (
        verify(signed[1], trust=tmp_path / "authority.pem").holds and verify(signed[1], trust=chain.certificate).holds
    )
    with pytest.raises(InputError, match=r"must hold certificates of authorities, but those in .* can issue none"):
        verify(signed[1], trust=tmp_path / "own.pem")


def test_an_unsigned_result_does_not_hold_where_trust_is_asked_for(tmp_path, chain):
    original, edited = write_pictures(tmp_path)
    found = verify(edited, original, chain.root)
    assert not found.holds and "Content credential: NONE" in " ".join(summary(found)) and UNSIGNED in summary(found)


@pytest.mark.parametrize("place", ["pixels", "words", "signature"])
def test_a_file_changed_after_signing_is_found(signed, place):
    original, edited = signed
    data = bytearray(edited.read_bytes())
    start = {"pixels": data.rindex(b"IDAT") + 20, "words": data.index(b"oedema" if b"oedema" in data else b"edema")}
    index = start.get(place, data.index(b"c2pa.signature") + 200)
    data[index] ^= 1
    check = check_credentials(bytes(data))
    assert not check.is_valid and check.problems
    if place == "signature":
        begin = data.index(b"caBX")
        end = begin + 4 + int.from_bytes(data[begin - 4 : begin], "big")
        data[end : end + 4] = zlib.crc32(data[begin:end]).to_bytes(4, "big")
        edited.write_bytes(data)
        found = verify(edited, original)
        assert not found.holds and "Content credential: NOT VALID" in " ".join(summary(found))


def test_repainted_pixels_with_the_old_credential_are_found_though_the_record_fits(signed):
    """Whoever writes a record that agrees with other pixels cannot write the signature."""
    _, edited = signed
    data = edited.read_bytes()
    start = data.index(b"caBX") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    other = edited.with_name("other")
    other.mkdir()
    _, forged = write_pictures(other, depth=16)
    bare = forged.read_bytes()
    forged.write_bytes(bare[:33] + data[start:end] + bare[33:])
    found = verify(forged)
    assert found.is_unaltered and found.is_record_intact and not found.credential.is_valid and not found.holds


@pytest.mark.parametrize("depth", [8, 16])
def test_a_copy_as_tiff_keeps_pixels_record_and_comparison(tmp_path, signer, chain, depth, capfd):
    original, edited = write_pictures(tmp_path, depth)
    (tmp_path / "copy.tif").write_bytes(sign_copy(edited, "copy.tif", signer))
    assert np.array_equal(decoded((tmp_path / "copy.tif").read_bytes()), decoded(edited.read_bytes()))
    capfd.readouterr()
    found = verify(tmp_path / "copy.tif", original, chain.root)
    assert found.holds and found.original.changed_outside == 0 < found.original.changed_inside
    assert found.parameters["prompt"] == PARAMETERS["prompt"] and found.credential.inputs == ("edited.png",)
    assert capfd.readouterr().err == "", "no warnings of libraries"


def test_a_copy_as_jpeg_says_that_its_pixels_are_others(tmp_path, signer, chain):
    original, edited = write_pictures(tmp_path, 16)
    (tmp_path / "copy.jpg").write_bytes(sign_copy(edited, "copy.jpg", signer))
    found = verify(tmp_path / "copy.jpg", original, chain.root)
    assert found.holds and found.is_unaltered and found.original.is_input and found.original.changed_outside is None
    assert "encoded with loss" in " ".join(summary(found)) and found.parameters["seed"] == 3
    Image.open(tmp_path / "copy.jpg").save(tmp_path / "again.jpg")
    assert NO_RECORD in summary(verify(tmp_path / "again.jpg", trust=chain.root))


def test_the_chain_of_a_signed_result_goes_on_in_its_copy(tmp_path, signed, signer):
    copy = sign_copy(signed[1], "copy.jpg", signer)
    with c2pa.Reader(JPEG, io.BytesIO(copy)) as reader:
        assert len(json.loads(reader.json())["manifests"]) == 2


def test_only_unaltered_results_are_copied(tmp_path, signer):
    original, edited = write_pictures(tmp_path)
    with pytest.raises(InputError, match=r"must end in .png, .jpg"):
        sign_copy(edited, "copy.gif", signer)
    with pytest.raises(InputError, match="does not find that"):
        sign_copy(original, "copy.png", signer)


def test_without_the_library_credentials_are_not_checked_and_that_is_said(signed, chain, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **more):
        if name.split(".")[0] in ("c2pa", "cryptography"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    found = verify(signed[1], signed[0])
    assert found.holds and found.credential is None and UNCHECKED in summary(found)
    with pytest.raises(MissingExtraError, match=r"instructx2x\[sign\]"):
        verify(signed[1], trust=chain.root)
    with pytest.raises(MissingExtraError, match=r"instructx2x\[sign\]"):
        Signer.load(SigningFiles(chain.key, chain.certificate))


# -- keys --------------------------------------------------------------------------------------------------------------


def test_files_come_from_options_and_the_environment(tmp_path):
    assert SigningFiles.choose(None, None, {}) is None
    chosen = SigningFiles.choose(tmp_path / "chain", tmp_path / "c", {KEY_VARIABLE: "other"})
    assert chosen == SigningFiles(tmp_path / "chain", tmp_path / "c")
    with pytest.raises(InputError, match="`sign_key` requires `sign_certificate`"):
        SigningFiles.choose(None, None, {KEY_VARIABLE: "key"})
    with pytest.raises(InputError, match="`sign_certificate` requires `sign_key`"):
        SigningFiles.choose(None, tmp_path, {})


def test_an_encrypted_key_requires_its_passphrase(tmp_path):
    chain = write_chain(tmp_path, passphrase=b"open")
    files = SigningFiles(chain.key, chain.certificate)
    assert load_key(files, {PASSPHRASE_VARIABLE: "open"}).algorithm == "es256"
    with pytest.raises(InputError, match="is encrypted: set X2X_SIGN_PASSPHRASE"):
        load_key(files, {})
    with pytest.raises(InputError, match=r"cannot be read as one\. Check X2X_SIGN_PASSPHRASE"):
        load_key(files, {PASSPHRASE_VARIABLE: "shut"})


@pytest.mark.parametrize("kind", ["es256k", "weak"])
def test_keys_of_other_kinds_are_refused(tmp_path, kind):
    chain = write_chain(tmp_path, kind)
    with pytest.raises(InputError, match="must be an elliptic-curve key"):
        load_key(SigningFiles(chain.key, chain.certificate))


@pytest.mark.parametrize("days", [(-9, -1), (1, 9)])
def test_a_certificate_that_is_not_valid_today_is_refused(tmp_path, days):
    chain = write_chain(tmp_path, days=days)
    with pytest.raises(InputError, match=r"must be valid today.*this machine's clock"):
        load_key(SigningFiles(chain.key, chain.certificate))


def test_unusable_files_are_refused(tmp_path, chain):
    other = write_chain(tmp_path / "other")
    with pytest.raises(InputError, match="must be the key of the first certificate"):
        load_key(SigningFiles(other.key, chain.certificate))
    with pytest.raises(InputNotFoundError, match="signing key"):
        load_key(SigningFiles(tmp_path / "nothing", chain.certificate))
    with pytest.raises(InputNotFoundError, match="certificates"):
        load_key(SigningFiles(chain.key, tmp_path / "nothing"))
    with pytest.raises(InputError, match="must be a PEM file of certificates"):
        load_key(SigningFiles(chain.key, chain.key))
    with pytest.raises(InputError, match="must be a private key as PEM"):
        load_key(SigningFiles(_private(tmp_path / "text", "hello"), chain.certificate))
    with pytest.raises(InputNotFoundError):
        read_trusted(tmp_path / "nothing")
    with pytest.raises(InputError, match="`trust` must be"):
        read_trusted(chain.key)


def test_certificates_that_may_not_sign_content_are_refused_before_an_edit(chain):
    with pytest.raises(InputError, match="cannot be signed with `sign_key` and `sign_certificate`"):
        Signer.load(_authority_as_signer(chain))


def _authority_as_signer(chain):
    """Return files whose certificate is that of an authority, signed by itself."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from signing_cases import certificate, private_key

    key = private_key()
    folder = chain.root.parent
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    own = certificate("Root", key, "Root", key, True)
    (folder / "self.pem").write_bytes(own.public_bytes(Encoding.PEM))
    return SigningFiles(_private(folder / "self-key.pem", pem), folder / "self.pem")


def _private(path, text):
    path.touch(0o600)
    path.write_text(text)
    return path


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_key_that_others_may_read_is_refused(tmp_path):
    chain = write_chain(tmp_path)
    chain.key.chmod(0o644)
    with pytest.raises(InputError, match=r"holds the signing key, but others may read it\. Run `chmod 600"):
        load_key(SigningFiles(chain.key, chain.certificate))


def test_no_record_and_no_representation_holds_the_key(chain, signer):
    secret = chain.key.read_text().splitlines()[1]
    assert secret not in repr(signer.key) and secret not in repr(vars(signer))
