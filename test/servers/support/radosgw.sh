#!/usr/bin/env bash
# A one-node Ceph with its S3 gateway on loopback, in memory. Ends, with all it started, when its standard input ends:
# so nothing stays when a test is killed.
#   radosgw.sh DIR PORT MONITOR-PORT   says "ready" when the gateway answers, after 10 to 20 s
set -euo pipefail
dir=$1 port=$2 monport=$3
exec 3<&0 </dev/null
pids=()
end() {
  ((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
  for _ in {1..20}; do kill -0 "${pids[@]}" 2>/dev/null || break; sleep .1; done
  kill -9 "${pids[@]}" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' TERM INT HUP
mkdir -p "$dir"/{mon,osd0,run,log}
cd "$dir"
fsid=$(cat /proc/sys/kernel/random/uuid)
# cephx is needed: without authentication the gateway loops and never listens.
cat >ceph.conf <<C
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$monport]
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
run dir = $dir/run
log file = $dir/log/\$name.log
admin socket = $dir/run/\$name.asok
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
keyring = $dir/keyring
[mon.a]
mon data = $dir/mon
[osd]
osd objectstore = memstore
memstore device bytes = 8589934592
osd data = $dir/osd0
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw enable usage log = false
rgw dns name = localhost
# What is deleted is freed at once: all of it lies in memory.
rgw gc obj min wait = 5
rgw gc processor period = 5
C
conf=(-c "$dir/ceph.conf") key=$dir/keyring
ceph-authtool --create-keyring "$key" --gen-key -n mon. --cap mon 'allow *' >log/keys.out
ceph-authtool "$key" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >>log/keys.out
ceph-authtool "$key" --gen-key -n osd.0 --cap mon 'allow *' --cap osd 'allow *' >>log/keys.out
monmaptool --create --addv a "[v2:127.0.0.1:$monport]" --fsid "$fsid" monmap >log/monmap.out
ceph-mon "${conf[@]}" --mkfs -i a --monmap monmap --keyring "$key" >log/mkfs-mon.out 2>&1
ceph-mon "${conf[@]}" -i a -f >log/mon.out 2>&1 & pids+=($!)
osd=$(cat /proc/sys/kernel/random/uuid)
timeout 60 ceph "${conf[@]}" osd new "$osd" >log/osd-new.out 2>&1
timeout 60 ceph "${conf[@]}" auth import -i "$key" >log/auth.out 2>&1
ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$osd" >log/mkfs-osd.out 2>&1
ceph-osd "${conf[@]}" -i 0 -f >log/osd.out 2>&1 & pids+=($!)
for user in owner guest; do
  timeout 90 radosgw-admin "${conf[@]}" user create --uid=$user --display-name=$user \
    --access-key="$user-access-key" --secret-key="$user-secret-key" >"log/user-$user.out" 2>&1
done
radosgw "${conf[@]}" -n client.admin -f >log/rgw.out 2>&1 & pids+=($!)
for _ in {1..240}; do
  curl -s -o /dev/null -m 1 "http://127.0.0.1:$port/" && { echo ready; cat <&3 >/dev/null; exit 0; }
  sleep .25
done
echo "the gateway does not answer, see $dir/log" >&2
exit 1
