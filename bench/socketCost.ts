import { execOrThrow } from '../src/lib/exec.ts'
import { median } from './median.ts'

/** Who connects where: user ids, and the address that the listener holds. */
export interface Connecting {
  from: number
  listener: number
  address: string
  port: number
}

/** `connection`: opens and closes one; `exchange`: sends a request and its answer on an open one. */
export type Step = 'connection' | 'exchange'

/**
 * Repeats a step in one process that has both ends, and prints its CPU time in us. Over the loopback the kernel does all
 * its work in the caller's time, so this has the cost of the rules and little else.
 */
const program = String.raw`
use strict; use Socket; use POSIX ();
my ($step, $from, $listener, $address, $port, $count) = @ARGV;
my $at = pack_sockaddr_in($port, inet_aton($address));
$> = $listener;
socket(my $in, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($in, SOL_SOCKET, SO_REUSEADDR, 1);
bind($in, $at) or die "bind: $!";
listen($in, 64) or die "listen: $!";
$> = 0; $> = $from;
my ($out, $taken);
sub open_both {
  socket($out, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  setsockopt($out, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
  connect($out, $at) or die "connect: $!";
  accept($taken, $in) or die "accept: $!";
}
sub connection { open_both(); close $out; close $taken }
my ($request, $answer, $read) = ('q' x 150, 'a' x 1_200, '');
sub exchange {
  syswrite $out, $request; sysread $taken, $read, 4_096;
  syswrite $taken, $answer; sysread $out, $read, 4_096;
}
open_both() if $step eq 'exchange';
my $work = $step eq 'exchange' ? \&exchange : \&connection;
my @before = POSIX::times();
$work->() for 1 .. $count;
my @after = POSIX::times();
my $ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);
printf "%.3f\n", 1e6 * ($after[1] + $after[2] - $before[1] - $before[2]) / $ticks / $count;
`

/** CPU time of a step in us, without rules; how much more with them, and how much a second run without them differs. */
export async function socketCost(
  step: Step,
  { from, listener, address, port }: Connecting,
  turns: { rounds: number; count: number; bare: () => Promise<unknown>; ruled: () => Promise<unknown> },
): Promise<{ bareUs: number; moreUs: number; noiseUs: number }> {
  const once = async (): Promise<number> => {
    const words = [step, from, listener, address, port, turns.count].map(String)
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
