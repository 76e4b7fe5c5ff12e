import { execOrThrow } from '../src/lib/exec.ts'
import { median } from './median.ts'

/** Who connects where: user ids, and the address that the listener holds. */
export interface Connecting {
  from: number
  listener: number
  address: string
  port: number
}

/**
 * Opens and closes connections in one process, and prints the CPU time of each in us, with both ends. Over the loopback
 * the kernel does all its work in the caller's time, so this has the cost of the rules and little else.
 */
const program = `
use strict; use Socket; use POSIX ();
my ($from, $listener, $address, $port, $count) = @ARGV;
my $at = pack_sockaddr_in($port, inet_aton($address));
$> = $listener;
socket(my $in, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($in, SOL_SOCKET, SO_REUSEADDR, 1);
bind($in, $at) or die "bind: $!";
listen($in, 64) or die "listen: $!";
$> = 0; $> = $from;
my @before = POSIX::times();
for (1 .. $count) {
  socket(my $out, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  setsockopt($out, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
  connect($out, $at) or die "connect: $!";
  accept(my $taken, $in) or die "accept: $!";
  close $out; close $taken;
}
my @after = POSIX::times();
my $ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);
printf "%.3f\\n", 1e6 * ($after[1] + $after[2] - $before[1] - $before[2]) / $ticks / $count;
`

/** CPU time of a connection in us: the median of `rounds` with the rules less that without, taken in turn. */
export async function connectionCost(
  connecting: Connecting,
  turns: { rounds: number; count: number; bare: () => Promise<unknown>; ruled: () => Promise<unknown> },
): Promise<{ bareUs: number; moreUs: number; noiseUs: number }> {
  const { from, listener, address, port } = connecting
  const once = async (): Promise<number> => {
    const words = [from, listener, address, port, turns.count].map(String)
    return Number(await execOrThrow(['perl', '-e', program, ...words], { timeoutMs: 60_000 }))
  }
  const [bare, more, noise]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < turns.rounds; round++) {
    await turns.bare()
    const [first, second] = [await once(), await once()]
    await turns.ruled()
    more.push((await once()) - second)
    noise.push(second - first)
    bare.push(second)
  }
  return { bareUs: median(bare), moreUs: median(more), noiseUs: median(noise) }
}
