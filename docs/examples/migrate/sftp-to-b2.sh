#!/usr/bin/env bash
# Moves a repository from an SSH server, e.g. the NAS of a friend, to Backblaze B2,
# and points the configuration to the new place. It may be broken off at any time: run again, it goes on where it was.
#
#   FROM=nas TO=b2://my-bucket/photos ./sftp-to-b2.sh
#
# Exit codes: 0 moved; 20 more than the budget allows, nothing was written; else those of bkp, e.g. 13 damaged.
set -euo pipefail

# To set here or in the environment:
: "${FROM:=nas}"  # a destination of the configuration (bkp destinations list)
: "${TO:=b2://my-bucket/photos}"  # a bucket that is there; nothing below the prefix
# Its credentials: B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY in the environment, a key that may list, read and write files.
: "${LIMIT:=5M}"  # bytes per second, each way: of the friend's line and of ours
: "${MOST_GIB:=500}" "${MOST_REQUESTS:=200000}" "${MOST_HOURS:=72}"  # what it may take
: "${READ_SHARE:=10%}"  # of the data that is decrypted and checked at the new place
: "${PAUSE:=60}"  # seconds, more with every attempt, until what may pass by itself is tried again
export FROM

say() { printf '%(%F %T)T  %s\n' -1 "$*"; }

# A value of the last document of bkp, which is `d`.
value() { node -p "const d = JSON.parse(require('fs').readFileSync(0, 'utf8')); $1" <<<"$document"; }

# Runs bkp, which prints one document in JSON. What may pass by itself is tried again; anything else ends the script.
run() {
  local code attempt
  for attempt in 1 2 3 4 5; do
    code=0
    document=$(bkp "$@" --json) || code=$?
    [[ $code == 0 ]] && return
    [[ -n $document ]] || document='{}'
    case $(value 'd.error?.code') in
      offline | transient | throttled) say "Attempt $attempt: $(value 'd.error.message')" >&2 ;;
      *) break ;;
    esac
    [[ $attempt == 5 ]] || sleep $((attempt * PAUSE))
  done
  {
    say "bkp $1 ended with $code"
    value '[
      ...(d.error ? [d.error.message, d.error.hint ?? ""] : []),
      ...[...(d.faults ?? []), ...(d.damages ?? [])].map(({ key, message }) => `${key}: ${message}`),
    ].join("\n")'
    if [[ $code == 13 ]]; then
      say "Heal $FROM from another destination (bkp check --from $FROM --heal-from OTHER --read-data), then run this again"
    fi
  } >&2
  exit "$code"
}

if [[ -z ${BKP_PASSWORD:-} ]]; then
  say 'BKP_PASSWORD is not set: the check at the new place needs the passphrase' >&2
  exit 2
fi
run destinations list
old=$(value 'd.destinations.find(({ repository, name }) => [name, `${repository}:${name}`].includes(process.env.FROM))?.url')
if [[ $old == "$TO" ]]; then
  say "$FROM points to $TO already"
  exit 0
fi

# 1. Look first.
limits=(--limit-download "$LIMIT" --limit-upload "$LIMIT")
run migrate --from "$FROM" --to "$TO" "${limits[@]}" --dry-run
gib=$(value 'Math.ceil(d.plan.bytesToCopy / 2 ** 30)')
requests=$(value 'Object.values(d.plan.requests).reduce((sum, count) => sum + count)')
hours=$(value 'Math.ceil((d.plan.seconds ?? 0) / 3600)')
say "From $old to $TO: $(value 'd.plan.objectsToCopy') objects, $gib GiB; $requests requests, at most $hours h as it looks now"
if ((gib > MOST_GIB || requests > MOST_REQUESTS || hours > MOST_HOURS)); then
  say "That is more than $MOST_GIB GiB, $MOST_REQUESTS requests or $MOST_HOURS h: nothing was done" >&2
  exit 20
fi

# 2. Copy everything and read it back. Backups may go on to the old place meanwhile.
run migrate --from "$FROM" --to "$TO" "${limits[@]}" --keep-config --yes
say "$(value 'd.copiedObjects') objects copied, $(value 'd.verifiedObjects') verified"

# 3. Check at the new place, from it alone.
run check --from "$TO" --read-data="$READ_SHARE"
say "$(value 'd.snapshots') snapshots are whole there; $(value 'd.packsRead') of $(value 'd.packs') packs were decrypted"

# 4. Take over what backups have added since, and point the configuration to the new place: its jobs go there from now on.
run migrate --from "$FROM" --to "$TO" "${limits[@]}" --no-read-back --yes
say "$(value 'd.copiedObjects') more objects; $(value 'd.movedInConfig') points to $TO"
value 'd.nextSteps.join("\n")'
run snapshots --from "$FROM"
say "$FROM has $(value 'd.snapshots.length') snapshots"

# 5. By hand, and not today.
cat <<END
The old place is as it was: $old
Run your jobs. When they have gone to the new place for a while, and a restore from it was tried, remove the old one:
  ssh USER@HOST rm -r FOLDER
and take your key out of ~/.ssh/authorized_keys there.
END
