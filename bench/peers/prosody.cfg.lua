-- Prosody as a peer of the load rig: loopback, everything in memory, any password.
run_as_root = true
gc = { mode = "incremental", threshold = 200, speed = 500 } -- its default costs it two to four times the CPU
data_path = "{state}"
certificates = "{state}"
daemonize = false
interfaces = { "127.0.0.1" }
c2s_ports = { 15222 }
http_ports = { 15280 }
https_ports = {}
s2s_ports = {}
modules_enabled = { "saslauth", "disco", "ping", "roster", "presence", "message", "iq", "bosh", "websocket" }
modules_disabled = { "s2s", "tls", "offline", "posix" }
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
storage = "memory"
bosh_max_wait = 120
bosh_max_inactivity = 120
network_backend = "epoll"
log = { warn = "{state}/prosody.log" }

VirtualHost "localhost"
	http_host = "127.0.0.1"

Component "pubsub.localhost" "pubsub"
	admins = { "pub0@localhost" }
	default_admin_affiliation = "owner"
