# Connects and listens like a service, in a program that starts quickly on an emulated machine.
#   ask ALWAYS NAME,HOST,PORT[,LOCAL]…    prints the names that answered, until all have, or ALWAYS did some time ago
#   listen PORT [ask …]                   prints `listens`, accepts, and prints `reached ` and the names
use strict;
use warnings;
use Errno qw(EINPROGRESS EINTR);
use Fcntl;
use Socket;
$| = 1;

# A target counts as unreachable if it has not answered this long after ALWAYS; the kernel retransmits after 1 s.
my $unanswered_s = 4;
my $give_up_s = 150;

sub tcp {
  socket(my $socket, PF_INET, SOCK_STREAM, 6) or die "socket: $!";
  return $socket;
}

sub begun {
  my (undef, $host, $port, $local) = split /,/, $_[0];
  my $socket = tcp();
  fcntl($socket, F_SETFL, O_NONBLOCK) or die "fcntl: $!";
  if (defined $local) { bind($socket, sockaddr_in(0, inet_aton($local))) or die "bind to $local: $!" }
  return $socket if connect($socket, sockaddr_in($port, inet_aton($host))) || $! == EINPROGRESS;
  return;
}

sub ask {
  my ($always, @targets) = @_;
  my (%open, %answered);
  for my $target (@targets) {
    my ($name) = split /,/, $target;
    my $socket = begun($target);
    $open{$name} = $socket if $socket;
  }
  my $end = time + $give_up_s;
  while (%open && time < $end) {
    my $ready = '';
    vec($ready, fileno($_), 1) = 1 for values %open;
    select(undef, $ready, undef, 0.2) > 0 or next;
    for my $name (keys %open) {
      next unless vec($ready, fileno($open{$name}), 1);
      my $error = unpack('i', getsockopt($open{$name}, SOL_SOCKET, SO_ERROR));
      delete $open{$name};
      next if $error;
      $answered{$name} = 1;
      $end = time + $unanswered_s if $name eq $always;
    }
  }
  return join ',', sort keys %answered;
}

my ($mode, @words) = @ARGV;
if ($mode eq 'ask') {
  print ask(@words), "\n";
  exit;
}
my ($port, undef, @asked) = @words;
my $listener = tcp();
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, sockaddr_in($port, INADDR_ANY)) or die "bind to port $port: $!";
listen($listener, 64) or die "listen: $!";
print "listens\n";
$SIG{CHLD} = 'IGNORE';
if (@asked && !fork) {
  print 'reached ', ask(@asked), "\n";
  exit;
}
while (1) {
  accept(my $client, $listener) or $! == EINTR or die "accept: $!";
}
