"""Languages of instructions besides English, each a table read and written by the same rules."""

from .de import GERMAN
from .es import SPANISH
from .fr import FRENCH
from .ja import JAPANESE
from .ko import KOREAN
from .pt import PORTUGUESE
from .table import Language
from .zh import CHINESE

LANGUAGES: dict[str, Language] = {
    language.code: language for language in (GERMAN, SPANISH, FRENCH, PORTUGUESE, CHINESE, JAPANESE, KOREAN)
}
