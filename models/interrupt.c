#include "models/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
enum { WATCHED = sizeof watched / sizeof *watched };

static volatile sig_atomic_t came;
static tg_cancel *to_cancel;

static void on_signal(int number)
{
    struct sigaction action;
    came = number;
    tg_cancel_request(to_cancel);
    for (int i = 0; i < WATCHED; i++) {
        if (sigaction(watched[i], NULL, &action) != 0 || action.sa_handler != on_signal)
            continue;
        action.sa_handler = watched[i] == SIGHUP ? SIG_IGN : SIG_DFL;
        sigaction(watched[i], &action, NULL);
    }
}

void interrupt_watch(tg_cancel *cancel)
{
    to_cancel = cancel;
    for (int i = 0; i < WATCHED; i++) {
        struct sigaction action;
        if (sigaction(watched[i], NULL, &action) != 0 || action.sa_handler == SIG_IGN)
            continue;
        action = (struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigaction(watched[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int interrupt_signal(void) { return came; }
