#!/usr/bin/env python3
"""Writes the software bill of materials of a build: an SPDX 2.3 document of what its programs and libraries consist of.

Usage: scripts/make_sbom.py [--strict] [BUILD_FOLDER [OUT.spdx.json]]
(default: build/release, and BUILD_FOLDER/effdet.spdx.json)

Packages are Debian's, found by the names of the libraries that the built files link, or load when they are needed; headers
that are compiled in are asked for by name. The licences of both are in LICENCES, which knows those of Debian 12; with
--strict whatever is not in it is an error (exit code 1): somebody has to look whether it may go with Apache-2.0. What these
libraries need themselves is listed without a licence of ours to conclude; Debian's copyright files, which are named, tell. The
same build gives the same document.
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

# SPDX expressions, as the copyright files of Debian 12 have them for the library itself. All may be linked by code under
# Apache-2.0; LGPL as shared libraries, which they are.
LICENCES = {
    "libfmt9": "MIT", "zlib1g": "Zlib", "libjpeg62-turbo": "IJG AND BSD-3-Clause AND Zlib", "libexpat1": "MIT", "libyaml-0-2": "MIT",
    "libxxhash0": "BSD-2-Clause", "libprotobuf32": "BSD-3-Clause", "libonnx1": "Apache-2.0", "libc6": "LGPL-2.1-or-later",
    "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1", "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libssl3": "Apache-2.0", "libgrpc++1.51": "Apache-2.0", "libgrpc29": "Apache-2.0", "libabsl20220623": "Apache-2.0",
    # Loaded when they are needed.
    "libcurl4": "curl", "libwebp7": "BSD-3-Clause", "libtiff6": "libtiff", "libavif15": "BSD-2-Clause", "libheif1": "LGPL-3.0-or-later",
    "libfreetype6": "FTL", "libfontconfig1": "MIT",
    # Of the video module alone. Debian's build of FFmpeg has parts under the GPL, version 2 or later, which goes with
    # Apache-2.0 as version 3: whoever hands on that module together with it has to follow the GPL.
    "libavformat59": "GPL-2.0-or-later", "libavcodec59": "GPL-2.0-or-later", "libswscale6": "GPL-2.0-or-later",
    "libavutil57": "GPL-2.0-or-later", "libavdevice59": "GPL-2.0-or-later",
    # Headers that are compiled in.
    "libboost1.81-dev": "BSL-1.0", "libcli11-dev": "BSD-3-Clause", "nlohmann-json3-dev": "MIT", "libflatbuffers-dev": "Apache-2.0",
}
HEADERS = ["libboost1.81-dev", "libcli11-dev", "nlohmann-json3-dev", "libflatbuffers-dev"]
NOT_PACKAGES = re.compile(r"libeffdet|libascend|libacl|linux-vdso|ld-linux")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin"}).stdout


def linked(file):
    """Names of the libraries that a file is linked with, or has as a text that is such a name: those it loads."""
    names = set(re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", file)))
    text = pathlib.Path(file).read_bytes()
    return names | {name.decode() for name in re.findall(rb"\0(lib[a-z]+\.so\.[0-9]+)\0", text)}


def library_paths():
    """Where the loader finds each library."""
    return {name: path for name, path in re.findall(r"^\s+(\S+) \(libc6,x86-64[^)]*\) => (\S+)", output("/sbin/ldconfig", "-p"), re.M)}


def packages_of(paths):
    """The Debian packages of files, which may be listed by their places before or after /usr was merged."""
    names = {name.removeprefix("/usr") for path in paths for name in (path, str(pathlib.Path(path).resolve()))}
    lines = subprocess.run(["dpkg-query", "-S", *sorted(names), *sorted("/usr" + name for name in names)],
                           capture_output=True, text=True).stdout.splitlines()
    return {line.split(":")[0] for line in lines}


def installed_packages():
    """Version, source package and homepage of each installed package by its name."""
    lines = output("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${source:Package}\t${Homepage}\n").splitlines()
    packages = {}
    for name, *facts in (line.split("\t") for line in lines):
        packages.setdefault(name, facts)
    return packages


def package_entry(name, licence, facts):
    version, source, homepage = facts
    return {
        "SPDXID": "SPDXRef-" + re.sub("[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version, "supplier": "Organization: Debian",
        "downloadLocation": f"https://packages.debian.org/bookworm/{name}", "homepage": homepage or "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": licence, "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
        "comment": f"/usr/share/doc/{name}/copyright",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:deb/debian/{source}@{version}?arch=amd64&distro=debian-12"}],
    }


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--strict"]
    strict = len(arguments) < len(sys.argv) - 1
    build = pathlib.Path(arguments[0] if arguments else "build/release")
    out = pathlib.Path(arguments[1]) if len(arguments) > 1 else build / "effdet.spdx.json"
    files = sorted(path for folder, pattern in (("bin", "effdet"), ("lib", "libeffdet*.so"), ("lib/ascend", "libascendcl.so"))
                   for path in (build / folder).glob(pattern) if path.name != "libeffdet_cuda.so")
    if not files:
        sys.exit(f"{build}: nothing is built there")
    paths = library_paths()
    names = {name for file in files for name in linked(file) if not NOT_PACKAGES.match(name)}
    linked_packages = packages_of(paths[name] for name in names if name in paths)
    direct = linked_packages | set(HEADERS)
    depends = output("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
                     "--no-replaces", "--no-enhances", "--installed", *sorted(linked_packages))
    installed = installed_packages()
    indirect = {name for name in re.findall(r"^[a-z0-9]\S*", depends, re.M) if name in installed and name.startswith("lib")} - direct
    unknown = sorted(direct - LICENCES.keys())
    if unknown and strict:
        sys.exit(f"no licence in {sys.argv[0]} for {', '.join(unknown)}: read /usr/share/doc/PACKAGE/copyright, and add it")

    text = (pathlib.Path(__file__).parent.parent / "include/effdet/version.h").read_text()
    version = ".".join(re.findall(r"^#define EFFDET_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text, re.M))
    product = {"SPDXID": "SPDXRef-effdet", "name": "effdet.cpp", "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
               "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION", "supplier": "NOASSERTION"}
    packages = [product] + [package_entry(name, LICENCES.get(name, "NOASSERTION"), installed[name])
                            for names in (direct, indirect) for name in sorted(names)]
    relationships = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-effdet"}]
    for package in packages[1:]:
        kind = "STATIC_LINK" if package["name"] in HEADERS else "DYNAMIC_LINK" if package["name"] in direct else "RUNTIME_DEPENDENCY_OF"
        ends = ["SPDXRef-effdet", package["SPDXID"]]
        if kind == "RUNTIME_DEPENDENCY_OF":
            ends.reverse()
        relationships.append({"spdxElementId": ends[0], "relationshipType": kind, "relatedSpdxElement": ends[1]})
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    document = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"effdet.cpp-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/effdet.cpp-{version}-{digest[:32]}",
        # No date of the build: the same sources and packages are the same document.
        "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: effdet.cpp-make_sbom.py"]},
        "packages": packages, "relationships": relationships,
    }
    out.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{out}: {len(direct)} packages that it uses, {len(indirect)} that these need")


if __name__ == "__main__":
    main()
