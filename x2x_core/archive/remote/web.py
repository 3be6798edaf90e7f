"""Archives that speak DICOMweb: QIDO-RS finds, WADO-RS fetches, STOW-RS stores."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import BytesIO
from typing import Any

from x2x_core.common.extras import needs_extra

from .address import WebAddress
from .archive import ANSWER, CONNECT, Outgoing, Receipt
from .credentials import Credentials
from .entries import INSTANCE, KEYS, SERIES, STUDY, UID_OF, Entry, make_entry
from .errors import ArchiveError
from .multipart import parts_of
from .status_codes import reason
from .web_errors import in_one_sentence

_NOT_FOUND = 404
_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_ONE_PIECE = 2**40  # bytes up to which a request is sent whole, with its length, so that a server notices a cut


class WebArchive:
    """A DICOMweb service. Its methods are those of `Archive`.

    Redirections, proxies of the environment and `.netrc` are not followed: patients' data go to this address alone.

    Args:
        address: of the service.
        credentials: to send.

    Raises:
        MissingExtraError: dicomweb-client is not installed.
    """

    def __init__(self, address: WebAddress, credentials: Credentials) -> None:
        with needs_extra("DICOMweb", "dicomweb-client", "archive"):
            from dicomweb_client import DICOMwebClient
        self.name = address.name
        self._session = _session(credentials)
        self._client = DICOMwebClient(
            address.url, session=self._session, chunk_size=_ONE_PIECE, timeout=(CONNECT, ANSWER)
        )
        self._client.set_http_retry_params(retry=False)

    def check(self) -> None:
        """Ask for a sign of life, as `Archive.check` does: a search."""
        self.find(STUDY, {}, 1)

    def find(self, level: str, conditions: Mapping[str, str], limit: int | None = None) -> list[Entry]:
        """Return what meets some conditions, as `Archive.find` does."""
        found: dict[str, Entry] = {}
        while limit is None or len(found) < limit:  # an archive may send as many at a time as it likes
            page = self._page(level, conditions, len(found), None if limit is None else limit - len(found))
            entries = [make_entry(level, conditions, values) for values in page]
            new = {entry.values[UID_OF[level]]: entry for entry in entries}.keys() - found.keys()
            if not new:
                break
            found |= {entry.values[UID_OF[level]]: entry for entry in entries}
        return list(found.values())[:limit]

    def _page(self, level: str, conditions: Mapping[str, str], offset: int, limit: int | None) -> list[dict[str, str]]:
        import requests

        above = {STUDY: (), SERIES: ("StudyInstanceUID",), INSTANCE: ("StudyInstanceUID", "SeriesInstanceUID")}[level]
        filters = {name: value for name, value in conditions.items() if name not in above}
        search: Any = {
            STUDY: self._client.search_for_studies,
            SERIES: self._client.search_for_series,
            INSTANCE: self._client.search_for_instances,
        }[level]
        with in_one_sentence(self.name):
            try:
                answer = search(
                    *(conditions[name] for name in above),
                    search_filters=filters,
                    fields=KEYS[level],
                    offset=offset or None,
                    limit=limit,
                )
            except requests.exceptions.HTTPError as error:
                if (
                    above and error.response is not None and error.response.status_code == _NOT_FOUND
                ):  # some say so of a study that they do not have
                    return []
                raise
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
            raise ArchiveError(f"The archive {self.name} answered with something else than DICOM JSON.")
        return [_values(item, KEYS[level]) for item in answer]

    def retrieve(self, entries: Sequence[Entry]) -> Generator[tuple[Entry, bytes], None, None]:
        """Yield instances as they are stored, as `Archive.retrieve` does."""
        from dicomweb_client.uri import URI

        for entry in entries:
            address = URI(self._client.base_url, entry.study, entry.series, entry.instance)
            with in_one_sentence(self.name):
                answer = self._session.get(str(address), headers={"Accept": _AS_STORED}, timeout=(CONNECT, ANSWER))
                answer.raise_for_status()
            parts = parts_of(answer.content, answer.headers.get("Content-Type", ""))
            if len(parts) != 1:
                raise ArchiveError(f"The archive {self.name} must send one object, but sent {len(parts)}.")
            yield entry, parts[0]

    def send(self, objects: Sequence[Outgoing]) -> Receipt:
        """Send objects of one study in one request, as `Archive.send` does."""
        import requests
        from pydicom import dcmread

        datasets = [dcmread(BytesIO(sent.content)) for sent in objects]
        try:
            with in_one_sentence(self.name):
                try:
                    answer = self._client.store_instances(datasets, objects[0].study)
                except requests.exceptions.HTTPError as error:
                    receipt = _refusals(error.response, self.name)
                    if receipt is not None:
                        return receipt
                    raise
        except ArchiveError as error:
            return Receipt(frozenset(), str(error))
        except (ValueError, KeyError, TypeError, AttributeError):  # of an answer that says nothing
            return Receipt(frozenset(), f"The archive {self.name} answered in a form that cannot be read.")
        return _receipt(answer, self.name)

    def remove(self, sent: Outgoing) -> bool:
        """Remove an object that was sent, as `Archive.remove` does: DELETE is not in the standard."""
        import requests

        try:
            self._client.delete_instance(sent.study, sent.series, sent.instance)
        except requests.exceptions.RequestException:
            return False
        return True


def _session(credentials: Credentials) -> Any:
    """Return an HTTP session with the credentials."""
    import requests

    class Bearer(requests.auth.AuthBase):
        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {credentials.token}"
            return request

    session = requests.Session()
    session.trust_env, session.max_redirects = False, 0
    session.headers["Accept"] = "application/dicom+json"
    if credentials.user:
        session.auth = requests.auth.HTTPBasicAuth(credentials.user.encode(), credentials.password.encode())
    elif credentials.token:
        session.auth = Bearer()
    session.verify = str(credentials.authority) if credentials.authority else True
    if credentials.certificate:
        own = str(credentials.certificate)
        session.cert = (own, str(credentials.key)) if credentials.key else own
    return session


def _values(item: Mapping[str, Any], keywords: Sequence[str]) -> dict[str, str]:
    """Return the texts of some elements of a data set in DICOM JSON."""
    from pydicom.datadict import tag_for_keyword

    values = {}
    for keyword in {*keywords, *UID_OF.values()}:
        element = item.get(f"{tag_for_keyword(keyword):08X}")
        several = element.get("Value") if isinstance(element, dict) else None
        if isinstance(several, list):
            values[keyword] = "\\".join(str(value) for value in several if isinstance(value, (str, int, float)))
    return values


def _receipt(answer: Any, name: str) -> Receipt:
    """Return what an archive says of the objects: those it stored, and why it refused others."""
    stored = frozenset(str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence") or ())
    failed = list(answer.get("FailedSOPSequence") or ())
    if not failed:
        return Receipt(stored)
    reasons = sorted({reason(int(item.get("FailureReason") or 0x0110)) for item in failed})
    return Receipt(stored, f"The archive {name} refused {len(failed)} of them: {', '.join(reasons)}.")


def _refusals(response: Any, name: str) -> Receipt | None:
    """Return what the body of a refusal says of the objects; `None` if it says nothing."""
    from pydicom import Dataset

    try:
        answer = Dataset.from_json(response.json())
        return _receipt(answer, name) if answer.get("FailedSOPSequence") else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
