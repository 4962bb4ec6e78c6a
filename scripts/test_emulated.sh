#!/usr/bin/env bash
# Runs kernel tests on an emulated processor with AVX-512 and bfloat16, for machines without: Bochs boots a Linux that
# runs nothing but the test. Exits with 0 if tests ran there and all of them passed.
#
#   scripts/test_emulated.sh [FILTER [PROGRAM]]
#
# FILTER is GoogleTest's (default: everything on avx512 and avx512_bf16, 20 minutes). PROGRAM is a test that reads no
# files (default: build/release/bin/kernels_test). EFFDET_ISA holds there too, LIMIT is the time limit in seconds.
#
# Wants the Debian package mmdebstrap and a Debian mirror: all else is unpacked in a temporary folder. Bochs is that of
# Debian 13; the one of Debian 12 has no bfloat16.
set -euo pipefail

filter=${1:-*/avx512*}
program=$(realpath -e "${2:-$(dirname "$0")/../build/release/bin/kernels_test}")
limit=${LIMIT:-3600}

root=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true; rm -rf "$root"' EXIT
packages=bochs,bochs-term,busybox-static,isolinux,linux-image-cloud-amd64,syslinux-common,vgabios,xorriso
mmdebstrap --quiet --mode=chrootless --variant=extract --include="$packages" trixie "$root"
inside=(unshare --map-root-user --net --root="$root")

# The guest: busybox, the test and its libraries, with the paths that they have here.
mkdir -p "$root"/guest/{bin,proc,tmp} "$root/disc"
cp "$root/usr/bin/busybox" "$root/guest/bin"
{ echo "$program"; ldd "$program" | grep -o '/[^ ]*'; } | xargs -d '\n' cp -L --parents -t "$root/guest"
cat >"$root/guest/init" <<END
#!/bin/busybox sh
busybox stty -onlcr
busybox mount -t proc proc /proc
${EFFDET_ISA:+export EFFDET_ISA=${EFFDET_ISA@Q}}
busybox grep -q avx512_bf16 /proc/cpuinfo && ${program@Q} --gtest_color=no --gtest_filter=${filter@Q}
echo "exit code \$?"
busybox sleep 1
busybox poweroff -f
END
chmod +x "$root/guest/init"
"${inside[@]}" busybox sh -c 'cd /guest && busybox find . | busybox cpio -o -H newc >/disc/guest 2>/dev/null'

# The boot disc. In this Bochs some states of the processor cannot be saved (pku, xsaves, xsavec), Linux does not get
# ACPI started with 5-level page tables, and strings of bytes are slow (erms, fsrm).
options="console=ttyS0 loglevel=2 panic=-1 reboot=triple mitigations=off no5lvl clearcpuid=pku,xsaves,xsavec,erms,fsrm"
echo "default linux initrd=guest $options" >"$root/disc/isolinux.cfg"
cp "$root"/boot/vmlinuz-* "$root/disc/linux"
cp "$root"/usr/lib/{ISOLINUX/isolinux.bin,syslinux/modules/bios/ldlinux.c32} "$root/disc"
"${inside[@]}" xorriso -as mkisofs -quiet -o /disc.iso -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table /disc 2>/dev/null

cat >"$root/bochsrc" <<'END'
cpu: model=sapphire_rapids, ips=100000000, reset_on_triple_fault=0
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=/serial
display_library: rfb, options="timeout=0"
log: /log
panic: action=fatal
error: action=ignore
END
touch "$root/serial"
echo c | timeout "$limit" "${inside[@]}" bochs-bin -q -f /bochsrc &>/dev/null &  # c: past the prompt of its debugger
emulator=$!
tail -f --pid="$emulator" "$root/serial" &
wait

if ! grep -q '^exit code' "$root/serial"; then
  echo "The guest did not end in $limit seconds, or ended early:" >&2
  grep -m 3 PANIC "$root/log" >&2
  exit 1
fi
grep -q '^exit code 0$' "$root/serial" && grep -q '^\[  PASSED  \] [1-9]' "$root/serial"
