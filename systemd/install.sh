#!/bin/sh
# Installs the station gateway on Debian 12, upgrades it in place, or takes it away.
#
#   install.sh [--wheels FOLDER]     install, or upgrade what is there; from PyPI, or offline from FOLDER (wheels.sh)
#   install.sh uninstall [--purge]   take it away; --purge: its configuration and undelivered data as well
#
# Each version has an environment of its own below /opt/station-gateway/versions; `current` points to the one in force.
# Nothing in /etc/station-gateway that is there already is changed.
set -eu

home=/opt/station-gateway
etc=/etc/station-gateway
units="station-gateway.service station-gateway-reset.socket station-gateway-reset@.service"
here=$(cd "$(dirname "$0")" && pwd)
source=$(dirname "$here")

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

environment() {  # builds $1; a half-built one is never taken
    say "building $1"
    python3 -m venv "$1"
    if [ -n "$wheels" ]; then
        set -- "$1" --no-index --find-links "$wheels" station-gateway
    else
        set -- "$1" "$source"
    fi
    target=$1
    shift
    "$target/bin/python" -m pip install --quiet --disable-pip-version-check "$@" \
        || fail "pip could not install it; without network, gather wheels elsewhere with wheels.sh and give --wheels"
    mkdir -p "$target/share"
    cp "$source/README.md" "$source/config/README.md" "$target/share/" 2>/dev/null || true
}

files() {
    for unit in $units; do install -m 644 "$here/$unit" /etc/systemd/system/; done
    install -D -m 644 "$here/sysusers.conf" /usr/lib/sysusers.d/station-gateway.conf
    install -D -m 644 "$here/60-station-gateway.rules" /etc/udev/rules.d/60-station-gateway.rules
    install -D -m 755 "$here/reset-radio.py" /usr/lib/station-gateway/reset-radio
    systemd-sysusers /usr/lib/sysusers.d/station-gateway.conf
    install -d -m 750 -o root -g station-gateway "$etc"
    install -d -m 700 "$etc/credentials"
    for name in gateway.yaml devices.yaml; do
        [ -e "$etc/$name" ] || install -m 640 -o root -g station-gateway "$source/config/$name" "$etc/$name"
    done
    ln -sfn "$home/current/bin/station-gateway" /usr/local/bin/station-gateway
}

untouched() {  # whether the configuration is still the one that came with it
    cmp -s "$source/config/gateway.yaml" "$etc/gateway.yaml"
}

point_at() {  # `current` never is half of anything
    ln -sfn "$1" "$home/next"
    mv -T "$home/next" "$home/current"
}

start() {  # whether the version in force comes up
    systemctl restart station-gateway.service && systemctl is-active --quiet station-gateway.service
}

install_it() {
    [ -f "$source/pyproject.toml" ] || [ -n "$wheels" ] || fail "$source is no checkout of the gateway; give --wheels"
    packages
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")
    new=$home/versions/$version-$(date +%Y%m%d%H%M%S)
    before=$(readlink "$home/current" 2>/dev/null || true)
    mkdir -p "$home/versions"
    trap 'rm -rf "$new"' EXIT
    environment "$new"
    files
    if ! untouched && ! "$new/bin/station-gateway" check "$etc/gateway.yaml"; then
        fail "$etc/gateway.yaml is refused by the new version; ${before:+the old one goes on. }Mend it and run this again"
    fi
    point_at "$new"
    trap - EXIT
    if ! systemd_runs; then
        say "installed; systemd does not run here, so nothing was started"
        return
    fi
    systemctl daemon-reload
    udevadm control --reload || true
    systemctl enable --quiet --now station-gateway-reset.socket
    if untouched; then
        say "installed. Now write $etc/gateway.yaml and devices.yaml, then:"
        say "    station-gateway check $etc/gateway.yaml && systemctl enable --now station-gateway"
        return
    fi
    systemctl enable --quiet station-gateway.service
    if start; then
        say "$version runs: systemctl status station-gateway"
    elif [ -n "$before" ] && [ -d "$before" ]; then
        journalctl -u station-gateway -n 20 --no-pager >&2 || true
        point_at "$before"
        start || true
        rm -rf "$new"
        fail "the new version did not come up (see above); the old one is in force again"
    else
        journalctl -u station-gateway -n 20 --no-pager >&2 || true
        fail "it did not come up: see above"
    fi
    # the version before this one stays, to go back to
    for old in "$home"/versions/*; do
        [ "$old" = "$new" ] || [ "$old" = "$before" ] || rm -rf "$old"
    done
}

uninstall() {
    if systemd_runs; then
        systemctl disable --quiet --now station-gateway.service station-gateway-reset.socket 2>/dev/null || true
    fi
    for unit in $units; do rm -f "/etc/systemd/system/$unit"; done
    rm -rf "$home" /usr/lib/station-gateway /usr/lib/sysusers.d/station-gateway.conf \
        /etc/udev/rules.d/60-station-gateway.rules
    [ ! -L /usr/local/bin/station-gateway ] || rm /usr/local/bin/station-gateway
    systemd_runs && systemctl daemon-reload
    if [ "$1" = purge ]; then
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
            [ $# -ge 2 ] && [ -d "$2" ] || fail "--wheels wants a folder"
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
if [ "$verb" = install ]; then install_it; else uninstall $what; fi
