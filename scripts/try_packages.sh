#!/usr/bin/env bash
# Makes the archive and the Debian packages and uses them in a fresh Debian 12 (debootstrap): the archive's commands where
# nothing is installed, then the packages' commands, a C++ and a C program by pkg-config and find_package, and their removal. As root; takes minutes and the network.
# Usage: scripts/try_packages.sh   (MIRROR: where Debian is fetched from; default http://deb.debian.org/debian)
set -euo pipefail
cd "$(dirname "$0")/.."

command -v debootstrap > /dev/null || { echo "try_packages.sh: debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
[ -f build/release/CPackConfig.cmake ] || cmake --preset release
cmake --build --preset release
root=$(mktemp -d)
trap 'umount "$root/debian/proc" 2> /dev/null || true; rm -rf --one-file-system "$root"' EXIT
mkdir "$root/debs"
cpack --config build/release/CPackConfig.cmake -G DEB -B "$root/debs" > "$root/cpack.log"
debootstrap --variant=minbase bookworm "$root/debian" "${MIRROR:-http://deb.debian.org/debian}" > "$root/debootstrap.log"
cp -r "$root"/debs/*.deb models/tf_efficientdet_d0_shapes.pth testdata/images/exif_1.jpg "$root/debian/tmp"
# What a mirror needs to be reached: names, proxies and keys of this machine.
cp /etc/resolv.conf "$root/debian/etc/" 2> /dev/null || true
cp -r /etc/apt/apt.conf.d/. "$root/debian/etc/apt/apt.conf.d/"
mount -t proc proc "$root/debian/proc"  # by which the loader finds what lies beside a program
inside() { chroot "$root/debian" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

scripts/build_tarball.sh "$root/debs" > "$root/tarball.log"
tar -C "$root/debian/opt" -xzf "$root"/debs/effdet-*-Linux.tar.gz
inside sh -c 'cd /tmp && mv /opt/effdet-* /opt/moved && /opt/moved/bin/effdet detect exif_1.jpg --out of_archive --score 0 \
              --checkpoint tf_efficientdet_d0_shapes.pth --img-size 256 > /dev/null && test -s of_archive/detections.json'
inside apt-get update -qq
inside sh -c 'apt-get install -y -qq --no-install-recommends /tmp/effdet_*.deb > /dev/null'
inside effdet --version
inside sh -c 'cd /tmp && effdet detect exif_1.jpg --checkpoint tf_efficientdet_d0_shapes.pth --img-size 256 --out found --score 0 > /dev/null
              test -s found/detections.json && validate --help > /dev/null && atc --help > /dev/null'
inside sh -c 'apt-get install -y -qq --no-install-recommends g++ cmake make pkg-config /tmp/effdet-video_*.deb /tmp/effdet-grpc_*.deb \
              /tmp/libeffdet-dev_*.deb /tmp/effdet-doc_*.deb > /dev/null'
inside sh -c 'cd /usr/share/doc/effdet/examples &&
              gcc -std=c99 detect.c -o /tmp/c $(pkg-config --cflags --libs effdet) &&
              /tmp/c /tmp/tf_efficientdet_d0_shapes.pth /tmp/exif_1.jpg &&
              cmake -S . -B /tmp/examples > /dev/null && cmake --build /tmp/examples > /dev/null &&
              /tmp/examples/example_batch /tmp/tf_efficientdet_d0_shapes.pth /tmp/exif_1.jpg'
inside sh -c 'cd /tmp && (timeout 10 effdet serve d0=tf_efficientdet_d0_shapes.pth --img-size 128 --port 0 --grpc-port 0 > served 2>&1 || true)
              grep -q "gRPC on" served'
inside sh -c 'dpkg -r effdet-doc libeffdet-dev effdet-video effdet-grpc effdet > /dev/null && ! find /usr -name "*effdet*" | grep .'
echo "archive moved and used, packages installed, used and removed in Debian $(cat "$root/debian/etc/debian_version")"
