"""Every knob of the crawl, and which component does what, by name. `broadsheet crawl` and `scrapy crawl news` share it.

sources.toml's [crawl] table (user_agent, delay, concurrency, budget, allow_private) is laid over this by crawler.cli.run.
"""

import os

from scrapy.settings import default_settings

from crawler import items
from crawler.workers import LIMITS

BOT_NAME = "broadsheet"
SPIDER_MODULES = ["crawler.spiders"]
COMMANDS_MODULE = "crawler.commands"

# Ours: what a run works on. The command line sets them; plain Scrapy by `-s NAME=value`.
SOURCES_FILE = "sources.toml"
NEWS_DB = "news.db"
OFFLINE_DIR = ""  # a folder of local copies that answers instead of the network
POLL_ALL = False  # ask every feed, due or not
RETRY_STATES: list[str] = []  # of `refused`, `failed` and `article`: pages in these states are asked again
RETRY_ONLY: list[str] = []  # addresses of pages, and of sources or their names, that this is for; all when empty
HOST_BUDGET = 5000  # requests to one host in one run; `budget` of sources.toml sets it
PAGE_LIMIT = 0  # article pages a run may fetch; 0 is no limit
EXTRACT_WORKERS = min(4, os.cpu_count() or 1)  # processes that read pages and listings; 0 reads in this process
EXTRACT_TIMEOUT = LIMITS.seconds  # seconds one page or listing may take before its worker is killed
EXTRACT_MEMORY_MB = LIMITS.megabytes  # address space of one worker
WARC = True  # whether originals are kept; `warc` of sources.toml sets it
WARC_DAYS = 0  # days after which files of originals are deleted, 0 for never; `warc_days` sets it
WARC_MAX_BYTES = 10**9  # size from which on a run begins another file of originals
WARC_OFFLINE = False  # whether local copies are kept as well, as if a server had sent them
ALLOW_PRIVATE: list[str] = []  # networks that may be entered although they are not public

# The flow.
SPIDER_MIDDLEWARES = {
    "crawler.spiders.bug_net.BugNet": 50,
    "pipelines.archive.history.HistoryMiddleware": 100,
}
EXTENSIONS = {
    "crawler.workers.Workers": 0,
}
# Scrapy's own, without what would listen: it imports all that are named, also those that are switched off (aiohttp, Conch).
EXTENSIONS_BASE = {
    path: place
    for path, place in default_settings.EXTENSIONS_BASE.items()
    if not path.startswith(("scrapy.extensions.telnet.", "scrapy.extensions.remote_control."))
}
# Scrapy's cookies, of a whole run, stay away as well: they import tldextract, and with it requests, a tenth of a second.
DOWNLOADER_MIDDLEWARES_BASE = {
    path: place
    for path, place in default_settings.DOWNLOADER_MIDDLEWARES_BASE.items()
    if path != "scrapy.downloadermiddlewares.cookies.CookiesMiddleware"
}
DOWNLOADER_MIDDLEWARES = {
    # The last to see an answer: decoded, and at the end of its redirects.
    "crawler.fetcher.read_listings.ReadMiddleware": 50,
    "crawler.fetcher.hash_routes.HashRoutesMiddleware": 90,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.fetcher.robots.RobotsMiddleware": 100,
    # Below robots.txt: of what that forbids nothing is asked.
    "crawler.fetcher.tdmrep.TdmrepMiddleware": 110,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    # Scrapy's own looks into every page, and at no script.
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "crawler.fetcher.hops.HopsMiddleware": 580,
    "crawler.fetcher.compression.CompressionMiddleware": 590,
    # In the place of Scrapy's, before what follows a redirect.
    "crawler.fetcher.chain_cookies.ChainCookiesMiddleware": 700,
    "crawler.fetcher.issuers.IssuersMiddleware": 600,
    # Above all that unpacks, follows and repeats: each answer as its server sent it.
    "crawler.fetcher.capture.CaptureMiddleware": 800,
    # The last station before a request waits for its turn: it sees every request that is sent, and every answer as it came.
    "crawler.fetcher.backoff.BackoffMiddleware": 980,
    # Below robots.txt and redirects, right where the network would be: local copies obey both.
    "crawler.fetcher.offline.OfflineMiddleware": 990,
    # An environment's proxy would connect where the private-address guard cannot look.
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
}
ITEM_PIPELINES = {
    "pipelines.extract.pipeline.ExtractPipeline": 100,
    "pipelines.archive.pipeline.StorePipeline": 200,
    "pipelines.archive.pipeline.UnstoredPipeline": 200,  # in its place where there is no archive: scrapy parse
}

# Manners.
ROBOTSTXT_OBEY = True
DOWNLOAD_DELAY = 1.0
DOWNLOAD_DELAY_JITTER = 0.0
CONCURRENT_REQUESTS = 16  # of all hosts
CONCURRENT_REQUESTS_PER_DOMAIN = 1
CONCURRENT_ITEMS = 2 * max(1, EXTRACT_WORKERS)  # of one answer or archive; Scrapy makes so many tasks for every answer
COOKIES_ENABLED = False  # but within one chain of redirects
DOWNLOAD_VERIFY_CERTIFICATES = True  # but those of sources that say `certificates = "unchecked"`
TWISTED_DNS_RESOLVER = "crawler.fetcher.address_guard.PublicAddressResolver"
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "*",
}

# Limits.
DOWNLOAD_TIMEOUT = 10  # seconds in all; a slow drip must not hold a slot for minutes; less of a host that overran it
DOWNLOAD_MAXSIZE = items.MAX_PAGE_BYTES  # 8 MiB, also while inflating: a 1 MB bomb cost 4.4 GB with the default
DOWNLOAD_WARNSIZE = 0
REDIRECT_MAX_TIMES = 5
RETRY_TIMES = 1
RETRY_HTTP_CODES = [
    408,
    500,
    502,
    504,
    520,
    521,
    522,
    523,
    524,
]  # 429 and 503 ask to be left alone: the next run tries again
RETRY_EXCEPTIONS = [
    "scrapy.exceptions.DownloadConnectionRefusedError",
    "scrapy.exceptions.DownloadFailedError",
    "scrapy.exceptions.ResponseDataLossError",
]
RETRY_GIVE_UP_LOG_LEVEL = "WARNING"
WARN_ON_GENERATOR_RETURN_VALUE = False  # Scrapy reads and parses the callback's source for it, at every answer: 1 ms
URLLENGTH_LIMIT = 0  # Scrapy drops longer addresses without a word; a server that minds says 414

# Newest-first feeds are fetched in their order; Scrapy's default is last in, first out.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"

# Nothing listens, nothing executes, nothing reads local files.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
DOWNLOAD_HANDLERS = {
    "http": "crawler.fetcher.timeouts.AdaptiveTimeoutHandler",
    "https": "crawler.fetcher.timeouts.AdaptiveTimeoutHandler",
    "file": None,
    "data": None,
    "ftp": None,
    "s3": None,
}

LOG_LEVEL = "WARNING"
LOG_VERSIONS: list[str] = []  # Scrapy reads ten packages' metadata even where nothing is logged: 4 % of a small crawl
