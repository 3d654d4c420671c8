/* A client at a desk with libstrophe: desk plain|starttls|tls. See tests/src/desk.rs for what it is told and answers. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include <sys/socket.h>
#include <unistd.h>

#define DISCO "http://jabber.org/protocol/disco#info"
#define PUBSUB "http://jabber.org/protocol/pubsub"

static xmpp_ctx_t *ctx;
static xmpp_conn_t *conn;
static long flags;
static const char *door;
static int descriptor = -1;
/* What the next disconnection answers; none: the server did it. */
static const char *expected;
static int application_seen, bound, waiting;

static const char *task(const char *name) {
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set\n", name);
        exit(1);
    }
    return value;
}

static void say(const char *kind, const char *value) {
    printf("%s %s\n", kind, value);
    fflush(stdout);
}

static void say_json(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\%c", *text);
        } else if ((unsigned char)*text < ' ') {
            printf("\\u%04x", *text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

static xmpp_stanza_t *below(xmpp_stanza_t *stanza, const char *name) {
    return stanza == NULL ? NULL : xmpp_stanza_get_child_by_name(stanza, name);
}

static int message(xmpp_conn_t *c, xmpp_stanza_t *stanza, void *data) {
    xmpp_stanza_t *items = below(below(stanza, "event"), "items");
    xmpp_stanza_t *item = items == NULL ? NULL : xmpp_stanza_get_children(items);
    (void)c;
    (void)data;
    for (; item != NULL; item = xmpp_stanza_get_next(item)) {
        char *update = xmpp_stanza_get_text(below(item, "notification"));
        printf("EVENT {\"node\":");
        say_json(xmpp_stanza_get_attribute(items, "node"));
        printf(",\"to\":");
        say_json(xmpp_stanza_get_to(stanza));
        printf(",\"update\":");
        say_json(update);
        printf("}\n");
        fflush(stdout);
        xmpp_free(ctx, update);
    }
    return 1;
}

static void online_when_complete(void) {
    if (waiting && bound && application_seen) {
        waiting = 0;
        say("OK", xmpp_conn_get_bound_jid(conn));
    }
}

static int presence(xmpp_conn_t *c, xmpp_stanza_t *stanza, void *data) {
    const char *from = xmpp_stanza_get_from(stanza);
    (void)c;
    (void)data;
    if (xmpp_stanza_get_type(stanza) == NULL && from != NULL && strncmp(from, "finesse@", 8) == 0) {
        application_seen = 1;
        online_when_complete();
    }
    return 1;
}

static void send_xml(const char *xml) {
    xmpp_stanza_t *stanza = xmpp_stanza_new_from_string(ctx, xml);
    xmpp_send(conn, stanza);
    xmpp_stanza_release(stanza);
}

/* Condition of an error: name of the first child of <error/>. */
static const char *condition(xmpp_stanza_t *stanza) {
    xmpp_stanza_t *error = below(stanza, "error");
    return error == NULL ? "none" : xmpp_stanza_get_name(xmpp_stanza_get_children(error));
}

static int answered(xmpp_conn_t *c, xmpp_stanza_t *stanza, void *data) {
    xmpp_stanza_t *found;
    (void)c;
    (void)data;
    if (strcmp(xmpp_stanza_get_type(stanza), "result") != 0) {
        say("NO", condition(stanza));
    } else if ((found = below(below(stanza, "query"), "identity")) != NULL) {
        printf("OK %s/%s\n", xmpp_stanza_get_attribute(found, "category"), xmpp_stanza_get_type(found));
        fflush(stdout);
    } else if ((found = below(below(stanza, "pubsub"), "subscriptions")) != NULL) {
        printf("OK");
        for (found = xmpp_stanza_get_children(found); found != NULL; found = xmpp_stanza_get_next(found)) {
            printf(" %s", xmpp_stanza_get_attribute(found, "node"));
        }
        printf("\n");
        fflush(stdout);
    } else if ((found = below(below(stanza, "pubsub"), "subscription")) != NULL) {
        say("OK", xmpp_stanza_get_attribute(found, "subscription"));
    } else {
        say("OK", "");
    }
    return 0;
}

/* Asks `to`; the answer is the answer to the order. */
static void ask(const char *type, const char *to, const char *child) {
    char xml[4096];
    char *id = xmpp_uuid_gen(ctx);
    snprintf(xml, sizeof xml, "<iq xmlns='jabber:client' type='%s' to='%s' id='%s'>%s</iq>", type, to, id, child);
    xmpp_id_handler_add(conn, answered, id, NULL);
    send_xml(xml);
    xmpp_free(ctx, id);
}

static void connection(xmpp_conn_t *c, xmpp_conn_event_t status, int error, xmpp_stream_error_t *stream_error,
                       void *data) {
    (void)error;
    (void)data;
    if (status == XMPP_CONN_CONNECT) {
        xmpp_handler_add(c, message, NULL, "message", NULL, NULL);
        xmpp_handler_add(c, presence, NULL, "presence", NULL, NULL);
        bound = 1;
        send_xml("<presence xmlns='jabber:client'><priority>0</priority></presence>");
        online_when_complete();
    } else if (status == XMPP_CONN_DISCONNECT || status == XMPP_CONN_FAIL) {
        const char *why = "silently";
        if (stream_error != NULL && stream_error->stanza != NULL) {
            why = xmpp_stanza_get_name(xmpp_stanza_get_children(stream_error->stanza));
        }
        if (expected != NULL) {
            say("OK", "");
        } else if (waiting) {
            say("NO", why);
        } else {
            say("ENDED", why);
        }
        expected = NULL;
        waiting = bound = 0;
    }
}

static int socket_made(xmpp_conn_t *c, void *socket) {
    (void)c;
    descriptor = *(int *)socket;
    return 0;
}

static void sign_in(const char *resource) {
    char address[512], host[256];
    const char *colon = strrchr(door, ':');
    snprintf(address, sizeof address, "%s@%s/%s", task("FINESSE_USER"), task("FINESSE_DOMAIN"), resource);
    snprintf(host, sizeof host, "%.*s", (int)(colon - door), door);
    if (conn != NULL) {
        xmpp_conn_release(conn);
    }
    conn = xmpp_conn_new(ctx);
    xmpp_conn_set_flags(conn, flags);
    xmpp_conn_set_jid(conn, address);
    xmpp_conn_set_pass(conn, task("FINESSE_PASSWORD"));
    xmpp_conn_set_sockopt_callback(conn, socket_made);
    application_seen = bound = 0;
    waiting = 1;
    if (xmpp_connect_client(conn, host, (unsigned short)atoi(colon + 1), connection, NULL) != XMPP_EOK) {
        say("NO", "cannot connect");
    }
}

static void subscription(const char *verb, const char *node, const char *kind) {
    char xml[2048];
    char *bare = xmpp_jid_bare(ctx, xmpp_conn_get_bound_jid(conn));
    const char *address = strcmp(kind, "full") == 0 ? xmpp_conn_get_bound_jid(conn) : bare;
    snprintf(xml, sizeof xml, "<pubsub xmlns='" PUBSUB "'><%s node='%s' jid='%s'/></pubsub>", verb, node, address);
    ask("set", task("FINESSE_PUBSUB"), xml);
    xmpp_free(ctx, bare);
}

static void obey(char *line) {
    char *order = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
    char xml[2048];
    if (strcmp(order, "connect") == 0) {
        sign_in(first);
    } else if (strcmp(order, "ping") == 0) {
        ask("get", task("FINESSE_DOMAIN"), "<ping xmlns='urn:xmpp:ping'/>");
    } else if (strcmp(order, "info") == 0) {
        snprintf(xml, sizeof xml, "<query xmlns='" DISCO "' node='%s'/>", first);
        ask("get", task("FINESSE_PUBSUB"), xml);
    } else if (strcmp(order, "subscriptions") == 0) {
        ask("get", task("FINESSE_PUBSUB"), "<pubsub xmlns='" PUBSUB "'><subscriptions/></pubsub>");
    } else if (strcmp(order, "subscribe") == 0 || strcmp(order, "unsubscribe") == 0) {
        subscription(order, first, second);
    } else if (strcmp(order, "cut") == 0) {
        expected = "cut";
        shutdown(descriptor, SHUT_RDWR);
    } else if (strcmp(order, "close") == 0) {
        expected = "close";
        xmpp_disconnect(conn);
    } else if (strcmp(order, "quit") == 0) {
        exit(0);
    } else {
        say("NO", "unknown order");
    }
}

int main(int argc, char **argv) {
    const char *transport = argc > 1 ? argv[1] : "plain";
    int tls = strcmp(transport, "tls") == 0;
    char line[4096];
    size_t have = 0;
    /* Behind TLS the library still says goodbye on a socket that was cut. */
    signal(SIGPIPE, SIG_IGN);
    xmpp_initialize();
    ctx = xmpp_ctx_new(NULL, xmpp_get_default_logger(XMPP_LEVEL_ERROR));
    door = task(tls ? "FINESSE_XMPP_TLS" : "FINESSE_XMPP");
    /* The demo's certificate is its own. */
    flags = strcmp(transport, "plain") == 0 ? XMPP_CONN_FLAG_DISABLE_TLS : XMPP_CONN_FLAG_TRUST_TLS;
    flags |= tls ? XMPP_CONN_FLAG_LEGACY_SSL : 0;
    for (;;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        char *end;
        xmpp_run_once(ctx, 10);
        if (poll(&input, 1, conn == NULL ? -1 : 0) > 0) {
            ssize_t got = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
            if (got <= 0) {
                return 1;
            }
            have += (size_t)got;
        }
        line[have] = '\0';
        if ((end = strchr(line, '\n')) != NULL) {
            char order[sizeof line];
            size_t length = (size_t)(end + 1 - line);
            memcpy(order, line, length);
            order[length] = '\0';
            have -= length;
            memmove(line, end + 1, have);
            obey(order);
        }
    }
}
