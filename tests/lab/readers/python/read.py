"""Reads every file of a folder with the readers that Python has, and prints what each of them got.

    read.py READER FOLDER

The answer is one JSON object: the file's name, then what was read from it, or `{"error": …}`.
"""

import ctypes
import glob
import json
import pathlib
import sys


def python(path):
    import dotenv

    return dict(dotenv.dotenv_values(path))


def pyyaml(path):
    import yaml

    return yaml.safe_load(path.read_bytes())


def ruamel(path, version):
    import ruamel.yaml

    loader = ruamel.yaml.YAML(typ="safe", pure=True)
    loader.version = version
    return loader.load(path.read_bytes())


def toml(path):
    import tomllib

    return tomllib.loads(path.read_text(encoding="utf-8"))


def properties(path):
    import javaproperties

    return javaproperties.loads(path.read_text(encoding="latin-1"))


def systemd(path):
    """systemd's own function, out of the library that all of its programs share."""
    library = ctypes.CDLL(sorted(glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so"))[-1])
    pairs = ctypes.POINTER(ctypes.c_char_p)()
    load = library.load_env_file_pairs
    load.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    code = load(None, str(path).encode(), ctypes.byref(pairs))
    if code < 0:
        raise OSError(-code, "load_env_file_pairs")
    found = []
    while pairs and pairs[len(found)] is not None:
        found.append(pairs[len(found)].decode())
    return dict(zip(found[::2], found[1::2]))


READERS = {
    "python-dotenv": python,
    "pyyaml": pyyaml,
    "ruamel-1.1": lambda path: ruamel(path, (1, 1)),
    "ruamel-1.2": lambda path: ruamel(path, (1, 2)),
    "tomllib": toml,
    "javaproperties": properties,
    "systemd": systemd,
}


def read(reader, path):
    try:
        return reader(path)
    except Exception as error:  # Whatever it is, it is the answer.
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    reader, folder = READERS[sys.argv[1]], pathlib.Path(sys.argv[2])
    answers = {path.name: read(reader, path) for path in sorted(folder.iterdir())}
    json.dump(answers, sys.stdout)


main()
