#!/bin/sh
# Installs the station gateway on Debian 12, upgrades it in place, or takes it away.
#
#   install.sh [--wheels FOLDER]     install, or upgrade what is there; from PyPI, or offline from FOLDER (wheels.sh)
#   install.sh uninstall [--purge]   take it away; --purge: its configuration and undelivered data as well
#
# Each version has an environment of its own below /opt/station-gateway/versions, with its units beside it; `current`
# points to the one in force. Nothing in /etc/station-gateway that is there already is changed.
set -eu
umask 022  # whatever root is used to: the daemon must read what is installed

home=/opt/station-gateway
etc=/etc/station-gateway
service=station-gateway.service
sockets="station-gateway-reset.socket station-gateway-act.socket"
units="$service $sockets station-gateway-reset@.service station-gateway-act@.service"
source=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "station-gateway: $*"; }
fail() { echo "station-gateway: $*" >&2; exit 1; }
usage() { sed -n '4,5s/^# *//p' "$0"; }

systemd_runs() { [ -d /run/systemd/system ]; }

packages() {
    missing=
    for package in python3-venv bluez dbus; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    say "installing Debian's$missing"
    # shellcheck disable=SC2086  # a list of words
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
        >/dev/null || fail "apt-get could not install$missing: see to the box's network, or install them by hand"
}

build() {  # an environment at $new, with all that belongs to its version; a half-built one is never taken
    say "building $new"
    python3 -m venv "$new"
    extra=
    for part in influx metrics; do  # what is optional, where the configuration wants it
        if grep -q "^$part:" "$etc/gateway.yaml" 2>/dev/null; then extra="$extra${extra:+,}$part"; fi
    done
    extra=${extra:+[$extra]}
    if [ -n "$wheels" ]; then
        set -- --no-index --find-links "$wheels" "station-gateway$extra==$version"
    else
        set -- "$source$extra"
    fi
    "$new/bin/python" -m pip install --quiet --disable-pip-version-check "$@" \
        || fail "pip could not install $version; without network, gather its wheels elsewhere with wheels.sh and give --wheels"
    mkdir -p "$new/share"
    cp -R "$source/README.md" "$source/config" "$source/systemd" "$new/share/"
}

configuration() {  # what is there already stays as it is
    install -D -m 644 "$new/share/systemd/sysusers.conf" /usr/lib/sysusers.d/station-gateway.conf
    systemd-sysusers /usr/lib/sysusers.d/station-gateway.conf
    install -D -m 644 "$new/share/systemd/tmpfiles.conf" /usr/lib/tmpfiles.d/station-gateway.conf
    systemd-tmpfiles --create /usr/lib/tmpfiles.d/station-gateway.conf
    for name in gateway.yaml devices.yaml; do
        [ -e "$etc/$name" ] || install -m 640 -o root -g station-gateway "$new/share/config/$name" "$etc/$name"
    done
}

untouched() {  # whether the configuration is still one that a version came with
    for version_of in "$new" "$before"; do
        if [ -n "$version_of" ] && cmp -s "$version_of/share/config/gateway.yaml" "$etc/gateway.yaml"; then return 0; fi
    done
    return 1
}

check() {  # the credentials are read where they lie: the daemon may not be there to have them
    CREDENTIALS_DIRECTORY="$etc/credentials" "$new/bin/station-gateway" check "$etc/gateway.yaml"
}

put_in_force() {  # the version at $1 with its units; `current` never is half of anything
    for unit in $units; do
        rm -f "/etc/systemd/system/$unit"  # an older version may not have it
        [ ! -e "$1/share/systemd/$unit" ] || install -m 644 "$1/share/systemd/$unit" /etc/systemd/system/
    done
    install -D -m 644 "$1/share/systemd/60-station-gateway.rules" /etc/udev/rules.d/60-station-gateway.rules
    install -D -m 755 "$1/share/systemd/reset-radio.py" /usr/lib/station-gateway/reset-radio
    ln -sfn "$1" "$home/next"
    mv -T "$home/next" "$home/current"
    ln -sfn "$home/current/bin/station-gateway" /usr/local/bin/station-gateway
}

reload() {
    systemctl daemon-reload
    for socket in $sockets; do
        [ -e "/etc/systemd/system/$socket" ] || continue
        systemctl enable --quiet "$socket"
        systemctl restart "$socket"
    done
    # what is plugged in already is seen to as well
    { udevadm control --reload \
        && udevadm trigger --subsystem-match=usb --subsystem-match=usb-serial --subsystem-match=tty; } || true
}

start() {  # whether the version in force comes up
    systemctl restart $service && systemctl is-active --quiet $service
}

install_it() {
    [ -f "$source/pyproject.toml" ] || fail "$source is no checkout of the gateway"
    packages
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "it wants Python 3.11 or later, as Debian 12 has"
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")
    new=$home/versions/$version-$(date +%Y%m%d%H%M%S)
    before=$(readlink "$home/current" 2>/dev/null || true)
    mkdir -p "$home/versions"
    trap 'rm -rf "$new"' EXIT
    build
    configuration
    if ! untouched && ! check; then
        fail "$etc/gateway.yaml is refused by the new version; ${before:+the old one goes on. }Mend it and run this again"
    fi
    put_in_force "$new"
    trap - EXIT
    if ! systemd_runs; then
        say "installed; systemd does not run here, so nothing was started"
        return
    fi
    reload
    if untouched && ! systemctl is-enabled --quiet $service; then
        say "installed. Now write $etc/gateway.yaml and devices.yaml, then:"
        say "    station-gateway check $etc/gateway.yaml && systemctl enable --now station-gateway"
        return
    fi
    systemctl enable --quiet $service
    if ! start; then go_back; fi
    say "$version runs: systemctl status station-gateway"
    # the version before this one stays, to go back to
    for old in "$home"/versions/*; do
        [ "$old" = "$new" ] || [ "$old" = "$before" ] || rm -rf "$old"
    done
}

go_back() {
    journalctl -u $service -n 20 --no-pager >&2 || true
    [ -d "$before" ] || fail "it did not come up: see above"
    put_in_force "$before"
    reload
    start || true
    rm -rf "$new"
    fail "the new version did not come up (see above); the old one is in force again"
}

uninstall() {
    if systemd_runs; then
        # shellcheck disable=SC2086  # a list of words
        systemctl disable --quiet --now $service $sockets 2>/dev/null || true
    fi
    for unit in $units; do rm -f "/etc/systemd/system/$unit"; done
    rm -rf "$home" /usr/lib/station-gateway /usr/lib/sysusers.d/station-gateway.conf \
        /usr/lib/tmpfiles.d/station-gateway.conf /etc/udev/rules.d/60-station-gateway.rules
    [ ! -L /usr/local/bin/station-gateway ] || rm /usr/local/bin/station-gateway
    if systemd_runs; then
        systemctl daemon-reload
        udevadm control --reload || true
    fi
    if [ "$what" = purge ]; then
        rm -rf "$etc" /var/lib/station-gateway
        say "gone, with its configuration and its data"
    else
        say "gone; $etc and /var/lib/station-gateway (what was not delivered yet) are still there: --purge removes them"
    fi
}

wheels=
verb=install
what=keep
while [ $# -gt 0 ]; do
    case $1 in
        install | uninstall) verb=$1 ;;
        --wheels)
            if [ $# -lt 2 ] || ! [ -d "$2" ]; then fail "--wheels wants a folder"; fi
            wheels=$(cd "$2" && pwd)
            shift
            ;;
        --purge) what=purge ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || fail "run it as root"
if [ "$verb" = install ]; then install_it; else uninstall; fi
