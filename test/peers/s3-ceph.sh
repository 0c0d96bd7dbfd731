#!/usr/bin/env bash
# A real S3 server on loopback, for tests: the smallest Ceph there is, one monitor, one store in memory and the gateway.
#
#   s3-ceph.sh DIR S3_PORT MONITOR_PORT
#
# Everything it writes lies below DIR, which is new. The store holds 6 GB; what is removed makes room within seconds.
# Prints "ready" when the server answers (after some ten seconds), and runs until its standard input ends, so that it
# does not outlive who started it, or until one of its daemons does, so that nobody waits for an answer that never comes.
# What a daemon says is in DIR/log.
# Needs Debian's ceph-mon, ceph-osd, ceph-common and radosgw. Key: test-access, secret: test-secret.
set -euo pipefail
if (($# != 3)); then
  sed -n '4p' "$0" >&2
  exit 2
fi
s3_port=$2
monitor="v2:127.0.0.1:$3"
mkdir -p "$1"/{monitor,store,run,log}
dir=$(realpath "$1")
export CEPH_CONF="$dir/ceph.conf"

daemons=()
end_daemons() {
  trap - EXIT
  ((${#daemons[@]} == 0)) || kill -KILL "${daemons[@]}" 2>/dev/null || true
}
trap end_daemons EXIT
trap 'exit 143' TERM INT HUP

# A child of this shell, so that its id is known and it ends with us: by force, since nothing stored here is to last.
daemon() {
  "$@" </dev/null >>"$dir/log/${1##*/}" 2>&1 &
  daemons+=($!)
}

fail() {
  echo "$1" >&2
  tail -v -n 5 "$dir"/log/* >&2
  exit 1
}

cat >"$CEPH_CONF" <<CONF
[global]
fsid = $(</proc/sys/kernel/random/uuid)
mon_host = $monitor
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = $dir/keyring
run_dir = $dir/run
admin_socket = $dir/run/\$name.asok
log_file = $dir/log/\$name
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_warn = 1
mon_data_avail_crit = 1
[mon.a]
mon_data = $dir/monitor
[osd.0]
osd_data = $dir/store
osd_objectstore = memstore
memstore_device_bytes = 6G
[client.gateway]
rgw_data = $dir/run
rgw_frontends = beast endpoint=127.0.0.1:$s3_port
rgw_run_sync_thread = false
rgw_gc_obj_min_wait = 2
rgw_gc_processor_period = 2
rgw_gc_processor_max_time = 2
CONF

fsid=$(sed -n 's/^fsid = //p' "$CEPH_CONF")
# One keyring with a key for each, which may do everything: all of them are ours.
ceph-authtool --create-keyring "$dir/keyring" >"$dir/log/ceph-authtool"
for name in mon. osd.0 client.admin client.gateway; do
  ceph-authtool "$dir/keyring" --name "$name" --gen-key --cap mon 'allow *' --cap osd 'allow *' >>"$dir/log/ceph-authtool"
done
monmaptool --create --fsid "$fsid" --addv a "[$monitor]" "$dir/monmap" >"$dir/log/monmaptool"
ceph-mon -i a --mkfs --monmap "$dir/monmap" --keyring "$dir/keyring" >>"$dir/log/ceph-mon" 2>&1 || fail 'the monitor has no store'
daemon ceph-mon -f -i a
store=$(</proc/sys/kernel/random/uuid)
timeout 60 ceph osd new "$store" 0 >>"$dir/log/ceph" 2>&1 || fail 'the monitor does not answer'
ceph-osd -i 0 --mkfs --osd-uuid "$store" >>"$dir/log/ceph-osd" 2>&1 || fail 'the store cannot be made'
daemon ceph-osd -f -i 0
timeout 90 radosgw-admin -n client.gateway user create --uid test --display-name test \
  --access-key test-access --secret-key test-secret >>"$dir/log/radosgw-admin" 2>&1 || fail 'no user can be made'
daemon radosgw -f -n client.gateway
for ((tenths = 600; tenths > 0; tenths--)); do
  if (: <>"/dev/tcp/127.0.0.1/$s3_port") 2>/dev/null; then
    echo ready
    exec 3<&0
    cat <&3 >/dev/null &
    wait -n "${daemons[@]}" $! || true
    kill -0 $! 2>/dev/null || exit 0
    kill $!
    fail 'one of the daemons has ended'
  fi
  sleep 0.1
done
fail "nothing listens on port $s3_port"
