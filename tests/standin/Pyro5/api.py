from pyro5 import (BatchProxy, Daemon, Proxy, URI, callback, config, expose,
                   locate_ns, oneway, resolve, start_ns)
