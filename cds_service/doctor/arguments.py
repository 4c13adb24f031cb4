"""What the command line gives, read into options: files, keys, sections."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from cds_service.doctor.checks import sections
from cds_service.doctor.json_shape import JsonObject, is_object, is_text
from cds_service.doctor.tokens import Algorithm, PrivateKey, algorithm_of, new_key, read_key, write_key
from fhir_models.strict_json import JsonError, parse_json


def read_members(path: Path) -> Mapping[str, object]:
    """Read a JSON object from a file.

    Raises:
        ValueError: it is none.
        OSError: the file cannot be read.
    """
    try:
        document = parse_json(path.read_bytes())
    except JsonError as error:
        raise ValueError(f"{path}: {error}") from None
    if not is_object(document):
        raise ValueError(f"{path}: must be a JSON object")
    return document


def read_contexts(path: Path) -> Mapping[str, JsonObject]:
    """Read contexts, a member a hook.

    Raises:
        ValueError: a member is no object.
        OSError: the file cannot be read.
    """
    contexts = read_members(path)
    wrong = [hook for hook, context in contexts.items() if not is_object(context)]
    if wrong:
        raise ValueError(
            f'{path}: hook names with a context each, such as {{"patient-view": {{...}}}}; not so: {wrong[0]}'
        )
    return cast("Mapping[str, JsonObject]", contexts)


def key_for(path: Path | None, algorithm: Algorithm | None) -> PrivateKey:
    """Return the key in the file, which is made if it is not there; without a file, one for this run.

    Raises:
        ValueError: the key is of another kind than the algorithm needs, or unusable.
        OSError: the file cannot be read or written.
    """
    if path is None:
        return new_key(algorithm or "ES384")
    if not path.exists():
        key = new_key(algorithm or "ES384")
        write_key(key, path)
        return key
    key = read_key(path)
    if algorithm and algorithm_of(key) != algorithm:
        raise ValueError(f"the key in {path} is for {algorithm_of(key)}, not {algorithm}")
    return key


def chosen_sections(named: list[str]) -> frozenset[str]:
    """Return the sections that were named.

    Raises:
        ValueError: there is no such section.
    """
    names = frozenset(name.strip() for text in named for name in text.split(",") if is_text(name))
    if unknown := names - set(sections()):
        raise ValueError(f"no section {', '.join(sorted(unknown))}; there are {', '.join(sections())}")
    return names


def trusting(certificates: Path | None) -> ssl.SSLContext | bool:
    """Return whom to trust: the certificates in a PEM file, or the usual ones.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    return ssl.create_default_context(cafile=str(certificates)) if certificates else True
