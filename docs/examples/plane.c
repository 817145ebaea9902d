/* Where a model sits on the information plane, from a program of one's own.
 *
 *   cc plane.c $(pkg-config --cflags --libs infoplane) -o plane
 *   ./plane model.gguf text.jsonl
 */
#include <infoplane.h>

static void show(void *context, const ip_progress *p) {
    (void)context;
    fprintf(stderr, "\r%-12s layer %u of %u ", p->stage, p->step, p->steps);
}

static bool enough(void *context) { return *(const bool *)context; } /* set it from anywhere to stop the run */

int main(int argc, char **argv) {
    if (argc < 3) return fputs("usage: plane MODEL CORPUS...\n", stderr), IP_USAGE;
    bool stop = false;
    ip_host host = {.context = &stop, .progress = show, .cancelled = enough};
    ip_settings settings;
    ip_settings_default(&settings);
    settings.documents = 50;
    settings.orders = 2;

    ip_run *run;
    ip_error error;
    ip_status status =
        ip_analyze(&run, argv[1], (const char *const *)argv + 2, (size_t)argc - 2, &settings, NULL, &host, &error);
    fputc('\n', stderr);
    if (status != IP_OK) {
        fprintf(stderr, "plane: %s\n", error.message);
        return status;
    }
    printf("%s: %llu layers, %llu positions; nats\n", run->model_name, (unsigned long long)run->layers,
           (unsigned long long)run->positions);
    for (size_t l = 0; l <= run->layers; l++)
        printf("layer %2zu  I(X;Z) %.4f  I(Y;Z) %.4f\n", l, run->layer[l].x[0].I, run->layer[l].y[0].I);
    ip_layer_result mean;
    double optimality[IP_MAX_ORDERS];
    ip_run_mean(run, &mean, optimality);
    printf("complexity %.4f, expressivity %.4f, optimality %.4f\n", mean.x[0].I, mean.y[0].I, optimality[0]);
    ip_run_free(run);
    return IP_OK;
}
