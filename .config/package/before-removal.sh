#!/bin/sh
# Runs as root before the deb or rpm package goes. Every person of this machine gets the apps' own configs back while there
# is still a program that can do it. Each person's state stays, and with it the small shim in it: a backup or a sync may
# bring an old entry back, and its server must still start. An upgrade changes nothing. A removal is never stopped by this.
set -u

# dpkg says what it does; rpm how many versions will be left.
case "${1-remove}" in
  remove | 0) ;;
  *) exit 0 ;;
esac

program=$(command -v portcullis) || exit 0

# As that person, with nothing of root's environment: the configs are theirs, and so is what happens.
as_person() {
  if command -v runuser >/dev/null; then
    runuser -u "$1" -- env -i HOME="$2" PATH="$PATH" "$program" restore --all --yes
  else
    su -s /bin/sh "$1" -c "env -i HOME='$2' PATH='$PATH' '$program' restore --all --yes"
  fi
}

getent passwd | while IFS=: read -r name _ _ _ _ home _; do
  case "$home$name" in *[\'\"\$\`\\]*) continue ;; esac
  [ -d "$home/.portcullis/journal" ] || continue
  if ! as_person "$name" "$home" </dev/null; then
    echo "Portcullis could not give $name every app's config back; the lines above say which." >&2
    echo "Servers that an app starts itself go on working through $home/.portcullis/bin." >&2
  fi
done
exit 0
