#!/usr/bin/env bash
# Installs the Debian 12 packages that building needs, and those that are named, if any is missing. docs/dependencies.md says
# what each is for.
# Usage: scripts/install_packages.sh [PACKAGE ...]
set -euo pipefail

packages=(
  ccache cmake g++ ninja-build pkg-config
  flatbuffers-compiler flatbuffers-compiler-dev libcli11-dev libexpat1-dev libflatbuffers-dev libfmt-dev libjpeg62-turbo-dev
  libonnx-dev libprotobuf-dev libxxhash-dev libyaml-dev nlohmann-json3-dev protobuf-compiler zlib1g-dev
  libcurl4-openssl-dev libssl-dev
  libboost1.81-dev libgrpc++-dev
  libavif-dev libheif-dev libtiff-dev libwebp-dev fonts-dejavu-core libfontconfig-dev libfreetype-dev
  libavcodec-dev libavformat-dev libswscale-dev
  clang-format libbenchmark-dev libgtest-dev locales python3 python3-numpy
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Please install as root: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
