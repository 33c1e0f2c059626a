#!/bin/sh
# Keeps new connections from an Elastic IP that is about to leave this server, until it has moved.
#
#   close PORT ADDRESSES BLOCKS SECONDS TIMER   holds them back, and waits until what is in flight has been answered
#   open PORT ADDRESSES                         takes that back at once
#
# ADDRESSES are private ones, of which only this server's own are meant, BLOCKS the CIDR blocks of its VPC; both are separated by
# commas. So one command is for many servers.
# Systems Manager runs it as root, with `set -- ARGUMENTS` before the first line.
#
# A new connection is neither answered nor refused: its SYN is dropped, and the client sends it again after 1, 3, 7, …
# seconds, by then to the server that has the address. What is established goes on.
#
# The load balancer's nodes and health checks come to the same private address and port as what comes through the
# Elastic IP. Since that is 1:1 NAT, the latter has its client's own public address as its source, even where the client is
# a server of the same VPC, and the former have private addresses of the VPC. So whoever comes from the VPC is let in.
#
# The rule ends by itself after TIMER seconds, whatever happens to whoever asked for it. The timer is there before the rule is,
# and asking again begins it anew.
set -u

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

mode=${1-}
port=${2-}
addresses=${3-}
blocks=${4-}
seconds=${5-}
timer=${6-}

# Nothing else becomes part of a rule.
case $port$addresses$blocks$seconds$timer in
*[!0-9./,]*) fail "quiet-move: PORT, ADDRESSES, BLOCKS, SECONDS and TIMER are numbers, addresses and blocks" ;;
esac
case $mode in
close) [ $# -eq 6 ] || fail "usage: quiet-move close PORT ADDRESSES BLOCKS SECONDS TIMER" ;;
open) [ $# -eq 3 ] || fail "usage: quiet-move open PORT ADDRESSES" ;;
*) fail "quiet-move: \"$mode\" is neither close nor open" ;;
esac

PATH=$PATH:/usr/sbin:/sbin
directory=${RUNTIME_DIRECTORY:-/run}

if command -v nft >/dev/null 2>&1 && nft list tables >/dev/null 2>&1; then
  firewall=nft
elif command -v iptables >/dev/null 2>&1; then
  firewall=iptables
else
  fail "quiet-move: this server has neither nft nor iptables, so new connections cannot be held back"
fi

# Texts that take a rule away: fixed ones, whose arguments are its name, address and port, and the timer's record.
# shellcheck disable=SC2016
open_nft='nft delete table ip "$1" 2>/dev/null; rm -f "$4"'
# shellcheck disable=SC2016
open_iptables='while iptables -w 5 -t raw -D PREROUTING -d "$2" -p tcp --dport "$3" --syn -j "$1" 2>/dev/null; do :; done
iptables -w 5 -t raw -F "$1" 2>/dev/null; iptables -w 5 -t raw -X "$1" 2>/dev/null; rm -f "$4"'
case $firewall in
nft) open_text=$open_nft ;;
iptables) open_text=$open_iptables ;;
esac

# Sets what belongs to an address.
of() {
  address=$1
  name=quiet_$(printf '%s' "$address" | tr . _)_$port
  record=$directory/handover-$name
}

is_closed() {
  case $firewall in
  nft) nft list table ip "$name" >/dev/null 2>&1 ;;
  iptables) iptables -w 5 -t raw -L "$name" -n >/dev/null 2>&1 ;;
  esac
}

# Before addresses are translated, so that it is the server's own address and port also where a container has the port.
close_nft() {
  nft -f - <<RULES
add table ip $name
delete table ip $name
table ip $name {
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    ip daddr $address ip saddr != { $blocks } tcp dport $port tcp flags & (fin | syn | rst | ack) == syn drop
  }
}
RULES
}

close_iptables() {
  iptables -w 5 -t raw -N "$name" 2>/dev/null
  iptables -w 5 -t raw -F "$name" || return 1
  for block in $(printf '%s' "$blocks" | tr , ' '); do
    iptables -w 5 -t raw -A "$name" -s "$block" -j RETURN || return 1
  done
  iptables -w 5 -t raw -A "$name" -j DROP || return 1
  iptables -w 5 -t raw -C PREROUTING -d "$address" -p tcp --dport "$port" --syn -j "$name" 2>/dev/null ||
    iptables -w 5 -t raw -I PREROUTING -d "$address" -p tcp --dport "$port" --syn -j "$name"
}

# Where systemd does not run, a process of its own waits.
arm() {
  unit=handover-$name-$$
  if command -v systemd-run >/dev/null 2>&1 &&
    systemd-run --quiet --unit="$unit" --on-active="${timer}s" --timer-property=AccuracySec=500ms \
      /bin/sh -c "$open_text" quiet-move "$name" "$address" "$port" "$record" >/dev/null 2>&1; then
    armed="unit $unit"
    return
  fi
  session=
  command -v setsid >/dev/null 2>&1 && session=setsid
  $session /bin/sh -c "sleep \"\$5\"; $open_text" quiet-move "$name" "$address" "$port" "$record" "$timer" \
    </dev/null >/dev/null 2>&1 &
  armed="process $!"
}

disarm() {
  case $1 in
  "unit "*) systemctl stop "${1#unit }.timer" "${1#unit }.service" >/dev/null 2>&1 ;;
  "process "*) kill -- "-${1#process }" 2>/dev/null || kill "${1#process }" 2>/dev/null ;;
  esac
  return 0
}

recorded() {
  cat "$record" 2>/dev/null
}

# Hundredths of a second since the boot.
now() {
  read -r uptime _ </proc/uptime
  printf '%s' "${uptime%.*}${uptime#*.}"
}

# One look at what is established from outside the VPC: sets established, busy, and pending, the peers whose answers are
# awaited. A connection is busy while it has something to send or to read, has received something after it last sent, or has
# received something and never sent. It is awaited no more once it is not, or has sent and then received since the rule: then
# the next request came, and that one may be sent again by its client (RFC 9112, 9.3.1).
look() {
  others=$(printf '%s' "$blocks" | sed 's/,/ and not dst /g')
  seen=$(ss -Htin state established "src $address:$port and not dst $others") || return 1
  read -r established busy pending <<COUNTS
$(printf '%s\n' "$seen" | awk -v since="$((($(now) - began) * 10))" -v first="$first" -v pending=" $pending " '
    function settle() {
      if (peer == "") return
      established++
      if (queued == 0 && sent <= received && (answers > 0 || requests == 0)) return
      busy++
      if (!first && index(pending, " " peer " ") == 0) return
      if (answers > 0 && received <= sent && sent < since) return
      left = left " " peer
    }
    /^[^ \t]/ { settle(); queued = $1 + $2; peer = $4; sent = received = requests = answers = 0 }
    {
      for (field = 1; field <= NF; field++) {
        if ($field ~ /^lastsnd:/) sent = substr($field, 9) + 0
        if ($field ~ /^lastrcv:/) received = substr($field, 9) + 0
        if ($field ~ /^data_segs_in:/) requests = substr($field, 14) + 0
        if ($field ~ /^data_segs_out:/) answers = substr($field, 15) + 0
      }
    }
    END { settle(); print established + 0, busy + 0 left }')
COUNTS
}

# Requests whose connections were there before the rule may still be on their way: for a while whatever is busy is awaited.
wait_for_answers() {
  first=1
  pending=
  while :; do
    look || fail "quiet-move: ss cannot tell what is established, so it is not known when to move; install iproute2"
    elapsed=$(($(now) - began))
    [ "$elapsed" -ge 30 ] && first=0
    [ "$first" -eq 0 ] && [ -z "$pending" ] && return
    [ "$elapsed" -ge $((seconds * 100)) ] && return
    sleep 0.1 2>/dev/null || sleep 1
  done
}

local_addresses=" $(ip -4 -o addr show | awk '{ split($4, part, "/"); printf "%s ", part[1] }')"
wanted=
for each in $(printf '%s' "$addresses" | tr , ' '); do
  case $local_addresses in
  *" $each "*) wanted="$wanted $each" ;;
  esac
done
[ -n "$wanted" ] || fail "quiet-move: $addresses is not an address of this server"

if [ "$mode" = open ]; then
  for each in $wanted; do
    of "$each"
    disarm "$(recorded)"
    /bin/sh -c "$open_text" quiet-move "$name" "$address" "$port" "$record"
    is_closed && fail "quiet-move: the rule of $address is still there"
  done
  exit 0
fi

command -v ss >/dev/null 2>&1 || fail "quiet-move: this server has no ss, so it is not known when to move; install iproute2"

for each in $wanted; do
  of "$each"
  before=$(recorded)
  arm
  disarm "$before"
  printf '%s\n' "$armed" >"$record"
  if ! "close_$firewall"; then
    disarm "$armed"
    /bin/sh -c "$open_text" quiet-move "$name" "$address" "$port" "$record"
    fail "quiet-move: $firewall did not take the rule"
  fi
done
began=$(now)

for each in $wanted; do
  of "$each"
  wait_for_answers
  printf '{"address":"%s","established":%d,"busy":%d,"milliseconds":%d}\n' \
    "$address" "$established" "$busy" "$((($(now) - began) * 10))"
done
