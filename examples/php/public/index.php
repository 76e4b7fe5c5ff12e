<?php
// Counts guests in Redis, by the name that every machine knows, and in PostgreSQL, by its variables.
$redis = new Redis();
$redis->connect('redis.tandem.internal', 6379, 2);
$answer = 'hello guest ' . $redis->incr('guests');

$host = getenv('POSTGRES_HOST');
if ($host !== false) {
    $database = new PDO("pgsql:host=$host;port=" . getenv('POSTGRES_PORT') . ';dbname=postgres;user=postgres');
    $database->exec('create table if not exists guests (seen timestamptz default now())');
    $database->exec('insert into guests default values');
    $answer .= ', row ' . $database->query('select count(*) from guests')->fetchColumn();
}
header('Content-Type: text/plain');
echo "$answer\n";
