"""What people write who know other libraries, and what optrun calls it.

Every suggestion of the loader looks here first: for unknown keys of configs, overrides and sweep
files in `KEYS`, for unknown component names and choices in `NAMES`, and for a plain value where a
section stands in `SHORTHANDS`. Words are compared without capitals, `_`, `-` and blanks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Alias:
    """Words, and what is written instead.

    Attributes:
        words: separated by blanks, as people write them.
        targets: for a key, the first that exists there counts:
            `.beta1 .beta2`   keys of the same section that take the value
            `optimizer.lr`    the key that takes the value, dotted from the top
            `.name: momentum`, `warmup: {…}`   another key with another value
            For a name, the name, or the section as YAML. None where there is no counterpart.
        note: a sentence that follows.
        within: names of the components or keys of the sections that it is meant for; any if empty.
            The top level is `top`.
    """

    words: str
    targets: tuple[str, ...] = ()
    note: str = ""
    within: str = ""

    def means(self, word: str) -> bool:
        return folded(word) in map(folded, self.words.split())


def folded(word: str) -> str:
    """The letters and digits that count when words are compared."""
    return re.sub(r"[\W_]", "", word).lower()


def _rows(text: str) -> Iterator[Alias]:
    """Aliases from lines `words -> target ; note`; target and note may be left out."""
    for line in text.strip().splitlines():
        words, _, rest = line.partition(" -> ")
        target, _, note = f" {rest}".partition(" ; ")
        yield Alias(words.strip(), (target.strip(),) if target.strip() else (), note.strip())


CPU = "runs use the CPU, so there is nothing to choose: remove it"
EPOCHS = "it is counted in epochs there: `every: 10 epochs`"

KEYS: tuple[Alias, ...] = (
    # rules that are optimizers of their own here
    Alias("momentum", (".name: momentum",), "Nesterov's is `nesterov`", "sgd"),
    Alias("nesterov", (".name: nesterov",), "and remove `nesterov`", "sgd momentum"),
    Alias("dampening", (".name: momentum",), within="sgd nesterov"),
    Alias(
        "weight_decay decay wd",
        (".weight_decay", "regularization.l2"),
        "`adamw` decays weights apart from the gradient",
        "adam",
    ),
    Alias("weight_decay wd l2 l2_penalty alpha lambda", ("regularization.l2",), within="top model"),
    Alias("weight_decay wd decay", (".weight_decay", "regularization.l2"), within="optimizer"),
    Alias("l1 l1_penalty lasso", ("regularization.l1",), within="top model optimizer loss"),
    Alias("penalty", ("regularization.l2",), within="top model loss"),
    # schedules
    Alias("step_size steps decay_steps transition_steps", (".every",), within="step"),
    Alias("decay_steps transition_steps", (".every", ".over", ".period")),
    Alias("decay_rate gamma", (".gamma",), within="exponential step"),
    Alias("warmup warmup_steps warmup_epochs num_warmup_steps warmup_ratio warmup_proportion",
          ("warmup: {name: linear, duration: 5 epochs}",), "steps are `duration: 500 steps`",
          "scheduler training optimizer top"),
    Alias("t_max max_steps total_iters total_steps", (".over",)),
    Alias("t_0 first_decay_steps", (".period",)),
    Alias("t_mul", (".t_mult",)),
    Alias("eta_min min_lr lr_min end_value end_lr end_learning_rate base_lr", (".min",)),
    Alias("alpha", ("scheduler.min",), "it is a rate here, no share of it", "cosine"),
    Alias("step_size_up", (".up",)),
    Alias("step_size_down", (".down",)),
    Alias("pct_start", (".up",)),
    Alias("anneal_strategy", (".anneal",)),
    Alias("max_lr", ("optimizer.lr",), within="scheduler"),
    Alias("monitor metric", (".watch",), within="plateau"),
    Alias("monitor", ("training.best_by",), within="training early_stopping"),
    Alias("start_factor", (".start", ".factor")),
    Alias("factor", (".gamma",), within="step exponential"),
    Alias("gammas", (".factors",), within="piecewise"),
    Alias("gamma", (".factors",), "each is a share of the first rate: [0.1, 0.01]", "piecewise"),
    Alias("boundaries", (".milestones",)),
    Alias("last_epoch verbose", note="remove it: nothing here takes it", within="scheduler"),
    # optimizers
    Alias("learning_rate learning_rate_init initial_learning_rate init_lr lr_init eta0 "
          "step_size stepsize", (".lr", "optimizer.lr")),
    Alias("eta", (".lr", "optimizer.lr"), within="optimizer top"),
    Alias("betas", (".beta1 .beta2", ".beta"), "as two numbers"),
    Alias("b1 beta_1 rho1", (".beta1", ".beta")),
    Alias("b2 beta_2 rho2", (".beta2",)),
    Alias("beta", (".beta1",), within="adam adamw lion"),
    Alias("epsilon adam_epsilon", (".eps",), within="optimizer normalization preprocessing"),
    Alias("rho decay smoothing_constant discounting_factor", (".alpha",), within="rmsprop"),
    Alias("alpha decay", (".rho",), within="adadelta"),
    Alias("beta mu", (".momentum",), within="momentum nesterov lars muon"),
    Alias("etas", (".eta_minus .eta_plus",), "as two numbers"),
    Alias("step_sizes", (".step_min .step_max",), "as two numbers"),
    Alias("max_iter", ("training.epochs",), "an epoch is one step with `batch_size: full`",
          "lbfgs newton"),
    Alias("line_search_fn", note="remove it: the line search is always strong Wolfe's",
          within="lbfgs"),
    Alias("base_optimizer inner_optimizer", (".base",)),
    Alias("k sync_period", (".every",), within="lookahead"),
    Alias("alpha slow_step_size", (".share",), within="lookahead"),
    Alias("clip", ("optimizer.clipping.by_norm",), within="optimizer top training"),
    Alias("grad_clip gradient_clip clip_norm clipnorm max_grad_norm gradient_clip_val "
          "global_clipnorm clip_grad_norm", (".by_norm", "optimizer.clipping.by_norm")),
    Alias("clip_value clipvalue", (".by_value", "optimizer.clipping.by_value"), "as [-b, b]"),
    Alias("maximize", note="remove it: optrun makes losses small"),
    Alias("foreach fused capturable differentiable jit_compile",
          note="remove it: every rule is one compiled kernel", within="optimizer"),
    Alias("lr_scheduler lr_schedule learning_rate_schedule schedule sched scheduling",
          ("scheduler",)),
    Alias("optim opt optimiser solver algorithm", ("optimizer",), within="top"),
    Alias("optimizer", ("optimizer",), within="training model"),
    Alias("scheduler", ("scheduler",), within="optimizer training"),
    # model, loss, start
    Alias("hidden_layer_sizes hidden_sizes hidden_size hidden_dims hidden_dim hidden_units units "
          "widths width n_hidden num_hidden layer_sizes", (".hidden", "model.hidden")),
    Alias("layers", (".hidden", "model.hidden"), within="model top"),
    Alias("act activation_fn activation_function nonlinearity hidden_activation",
          (".activation", "model.activation")),
    Alias("norm normalisation norm_layer batch_norm batchnorm",
          (".normalization", "model.normalization")),
    Alias("bias use_bias", note="remove it: layers have biases, and batch normalization drops them",
          within="model linear mlp"),
    Alias("num_layers depth n_layers", ("model.hidden",), "a list with the width of each layer",
          "model linear mlp"),
    Alias("input_size input_dim in_features output_size output_dim out_features num_classes "
          "n_classes input_shape", note="remove it: the dataset decides", within="model top"),
    Alias("net network architecture arch", ("model",), within="top"),
    Alias("criterion loss_fn loss_function objective cost", ("loss",), within="top training model"),
    Alias("init initializer initialisation weight_init weights_init kernel_initializer",
          ("initialization",)),
    Alias("bias_initializer bias_init", ("initialization.bias",)),
    Alias("reduction", note="remove it: losses are means over the examples", within="loss"),
    Alias("smoothing", (".label_smoothing",), within="softmax"),
    Alias("margin delta", note="remove it: the margin is 1", within="hinge squared_hinge"),
    Alias("stddev sigma", (".std",), within="initialization"),
    Alias("negative_slope", (".slope",), within="leaky_relu"),
    # data
    Alias("data", ("dataset",), within="top"),
    Alias("task problem", ("dataset",), within="top"),
    Alias("validation_split val_split validation_fraction val_fraction val_size valid_size "
          "validation_size valid val", (".validation", "dataset.validation")),
    Alias("n_samples num_samples n num_examples", (".samples",), within="dataset synthetic"),
    Alias("centers n_classes num_classes", (".classes",), within="dataset synthetic"),
    Alias("cluster_std std", (".spread",), within="dataset synthetic"),
    Alias("transform transforms", ("dataset.augmentation",), "or `dataset.preprocessing`"),
    Alias("preprocess normalize scaler", (".preprocessing", "dataset.preprocessing")),
    Alias("augment augmentations", (".augmentation", "dataset.augmentation")),
    Alias("p", (".probability",)),
    Alias("train_size max_samples num_train limit_train_batches",
          (".subset", "dataset.subset")),
    Alias("noise noise_level", ("dataset.label_noise",), within="mnist cifar10"),
    Alias("test_size test_split", note="remove it: the test set is fixed", within="dataset top"),
    Alias("root data_path path download", note="remove it: `--data-dir` or OPTRUN_DATA_DIR says "
          "where datasets are", within="dataset mnist cifar10"),
    Alias("data_dir data_root", note="remove it: `--data-dir` or OPTRUN_DATA_DIR says where "
          "datasets are"),
    Alias("shuffle", note="remove it: every epoch has its own order, which the seed decides"),
    # regularization
    Alias("dropout_rate drop_rate dropout_p p_dropout", (".dropout", "regularization.dropout")),
    Alias("ridge l2_reg l2_lambda l2_regularization reg_lambda lambda reg",
          (".l2", "regularization.l2")),
    Alias("l1_reg l1_lambda l1_regularization", (".l1", "regularization.l1")),
    Alias("maxnorm max_norm_constraint kernel_constraint", ("regularization.max_norm",)),
    Alias("regularizer regularisation kernel_regularizer", ("regularization",)),
    Alias("label_smooth", ("loss.label_smoothing",)),
    Alias("fgsm", ("regularization.adversarial.epsilon",)),
    # training
    Alias("n_epochs num_epochs max_epochs epoch nb_epoch num_train_epochs max_iter n_iter",
          (".epochs", "training.epochs")),
    Alias("max_steps num_steps total_steps iterations num_iterations iters",
          ("training.epochs",), "runs are counted in epochs", "top training"),
    Alias("bs batch minibatch_size mini_batch_size train_batch_size "
          "per_device_train_batch_size", (".batch_size", "training.batch_size")),
    Alias("n_iter_no_change early_stopping_patience", ("training.early_stopping.patience",)),
    Alias("tol early_stopping_threshold", ("training.early_stopping.min_delta",)),
    Alias("restore_best_weights", note="remove it: the best weights are always kept"),
    Alias("log_interval logging_steps log_every_n_steps print_every log_freq",
          (".log_every", "training.log_every")),
    Alias("early_stop earlystopping", ("training.early_stopping",)),
    Alias("train trainer fit", ("training",), within="top"),
    Alias("random_state random_seed rng manual_seed rng_seed", ("seed",)),
    Alias("ema ema_decay", ("averaging: {name: ema, decay: 0.999}",), within="top training"),
    Alias("swa", ("averaging: {name: swa, start: 75%}",), within="top training"),
    Alias("polyak_averaging weight_averaging", ("averaging",)),
    Alias("precision data_type float_type", ("dtype",), within="top training"),
    Alias("name_prefix run_name experiment_name experiment exp_name", ("name",), within="top"),
    Alias("device devices gpu gpus cuda use_cuda no_cuda accelerator num_workers n_workers "
          "pin_memory amp mixed_precision fp16 bf16 strategy num_gpus", note=CPU,
          within="top training dataset"),
    Alias("n_jobs", note="remove it: `optrun sweep --workers 4` trains four runs at once"),
    Alias("output_dir out_dir log_dir save_dir logdir", note="remove it: `--out` says where run "
          "directories are made"),
    Alias("callbacks logger logging wandb tensorboard", note="remove it: every run writes "
          "metrics.csv, steps.csv and curves.png", within="top training"),
    Alias("checkpoint save_every checkpointing resume", note="remove it: runs save themselves and "
          "go on where they stopped", within="top training"),
    Alias("metrics", note="remove it: loss and accuracy are always measured",
          within="top training"),
    Alias("defaults", note="remove it: every field has a default; `optrun list config` shows it",
          within="top"),
    # YAML
    Alias("<<", note="YAML merges are not read: write the keys out, or vary one config by "
          "overrides and sweeps"),
    # sweep files; `strategy: random` and its keys
    Alias("config base_config file experiment", ("sweep.base",), within="sweep"),
    Alias("parameters params space search_space param_space hyperparameters axes sweep",
          ("sweep.grid",), "with what is drawn under `sweep.random`", "sweep"),
    Alias("fixed constants defaults overrides", ("sweep.set",), within="sweep"),
    Alias("method algorithm search_alg searcher sampler scheduler tuner search",
          ("sweep.strategy",), within="sweep"),
    Alias("n_trials num_samples trials samples num_trials run_cap max_trials budget n_iter",
          (".samples", "sweep.strategy: {name: random, samples: 20}"), within="sweep strategy"),
    Alias("objective goal mode direction optimize monitor", ("sweep.metric",),
          "what is better follows from it", "sweep"),
    Alias("seed repeats repetitions replicates n_seeds num_seeds", ("sweep.seeds",),
          within="sweep"),
    Alias("n_startup_trials initial_points", (".startup",), within="strategy"),
    Alias("reduction_factor", (".eta",), within="strategy"),
    Alias("grace_period min_iter min_resource", (".min_epochs",), within="strategy"),
    Alias("max_concurrent max_concurrent_trials n_jobs", (".parallel",), within="strategy"),
    Alias("workers n_jobs parallel max_workers", note="remove it: `optrun sweep --workers 4`",
          within="sweep"),
)  # fmt: skip

NO_MODEL = "there are no convolutions, recurrences or attention; take `mlp`"
NO_DATA = "it is not among the datasets"

NAMES: dict[str, tuple[Alias, ...]] = {
    "optimizer": tuple(_rows("""
        nag nesterov_momentum nesterov_accelerated_gradient NesterovSGD -> nesterov
        heavy_ball sgdm sgd_momentum momentum_sgd sgd_with_momentum polyak -> momentum
        gd gradient_descent batch_gradient_descent bgd vanilla -> sgd ; \
with `training.batch_size: full`
        stochastic_gradient_descent minibatch_sgd -> sgd
        SparseAdam AdamOptimizer -> adam
        amsgrad -> {name: adam, amsgrad: true}
        adam_w AdamWeightDecay AdamWOptimizer -> adamw
        rms_prop -> rmsprop
        resilient_backpropagation irprop -> rprop
        averaged_sgd -> asgd
        bfgs l-bfgs-b quasi_newton lbfgsb -> lbfgs
        newton_cg newton-cholesky gauss_newton newtons_method -> newton
        natural_gradient ngd k_fac eigenvalue_kfac -> kfac
        AdamWScheduleFree schedule_free schedulefree -> schedule_free_adamw
        SGDScheduleFree -> schedule_free_sgd
        random -> random_search
        hill_climbing -> random_local_search
        signsgd sign_sgd -> lion ; it takes the sign of a momentum
        shampoo soap sophia prodigy dadaptation ftrl yogi novograd adan adopt came adabound \
adahessian_w cg conjugate_gradient -> ; it is not among the rules
    """)),
    "scheduler": tuple(_rows("""
        StepLR StepDecay step_decay step_lr -> {name: step, every: 10 epochs} ; \
`step_size` is `every`
        MultiStepLR MultiStep multi_step multistep_lr piecewise_constant PiecewiseConstantDecay \
piecewise_constant_schedule -> {name: piecewise, milestones: [50%, 75%], factors: [0.1, 0.01]} ; \
factors are of the first rate
        ExponentialLR ExponentialDecay exponential_decay exp -> \
{name: exponential, gamma: 0.95, every: 1 epochs}
        InverseTimeDecay inverse_time_decay -> {name: inverse_time, beta: 0.1, every: 1 epochs}
        CosineAnnealingLR CosineAnnealing CosineDecay cosine_decay cosine_decay_schedule \
cosine_annealing cosine_lr CosineLRScheduler -> cosine ; `T_max` is `over`, `eta_min` is `min`
        warmup_cosine warmup_cosine_decay_schedule cosine_with_warmup cosine_warmup -> cosine ; \
the climb is `warmup: {name: linear, duration: 5%}`
        linear_with_warmup linear_warmup -> linear ; \
the climb is `warmup: {name: linear, duration: 5%}`
        sgdr CosineAnnealingWarmRestarts CosineDecayRestarts cosine_decay_restarts \
cosine_with_restarts cosine_restarts sgdr_schedule -> {name: warm_restarts, period: 25%} ; \
`T_0` is `period`, `T_mult` is `t_mult`
        OneCycleLR OneCycle 1cycle onecycle_lr cosine_onecycle_schedule superconvergence -> \
one_cycle ; `max_lr` is `optimizer.lr`, `pct_start` is `up`
        CyclicLR clr cyclical triangular -> {name: cyclic, min: 0.001, up: 10%} ; \
`base_lr` is `min`, `max_lr` is `optimizer.lr`
        triangular2 -> {name: cyclic, min: 0.001, up: 10%, mode: triangular2}
        exp_range -> {name: cyclic, min: 0.001, up: 10%, mode: exp_range, gamma: 0.999}
        ReduceLROnPlateau reduce_on_plateau reduce_lr adaptive lr_on_plateau -> plateau
        LinearLR linear_schedule linear_decay -> linear ; \
a climb is `warmup: {name: linear, duration: 5%}`
        PolynomialLR PolynomialDecay polynomial_decay polynomial_schedule poly -> \
{name: polynomial, power: 2.0}
        ConstantLR constant_schedule constant_with_warmup none fixed null no -> constant ; \
PyTorch's ConstantLR is `warmup: {name: constant, duration: 5%}`
        noam transformer rsqrt invsqrt inverse_square_root -> {name: inverse_sqrt, offset: 10%}
        invscaling -> inverse_sqrt
        wsd trapezoidal trapezoid -> warmup_stable_decay
        LambdaLR MultiplicativeLR LearningRateScheduler SequentialLR ChainedScheduler \
join_schedules -> ; schedules of one's own are not read: `piecewise` takes any steps of the rate
    """)),
    "warmup": tuple(_rows("""
        LinearLR gradual linear_warmup ramp true yes on -> {name: linear, duration: 5 epochs} ; \
or `duration: 500 steps`
        ConstantLR constant_warmup -> {name: constant, duration: 5 epochs}
        exp exponential_warmup -> {name: exponential, duration: 5 epochs}
    """)),
    "loss": tuple(_rows("""
        CrossEntropyLoss cross_entropy crossentropy ce xent nll NLLLoss negative_log_likelihood \
categorical_crossentropy sparse_categorical_crossentropy softmax_cross_entropy log_loss logloss \
softmax_cross_entropy_with_integer_labels log_softmax logistic multinomial -> softmax
        BCELoss BCEWithLogitsLoss bce binary_crossentropy binary_cross_entropy \
sigmoid_binary_cross_entropy -> softmax ; with a score for each of the two classes
        svm MultiMarginLoss multi_margin multiclass_hinge categorical_hinge hinge_loss svm_loss \
weston_watkins max_margin HingeEmbeddingLoss -> hinge
        l2_svm l2svm svm_l2 -> squared_hinge
        MSELoss mean_squared_error squared_error l2 l2_loss quadratic least_squares squared -> mse
        L1Loss mae mean_absolute_error absolute_error huber HuberLoss SmoothL1Loss -> ; \
only `mse` compares numbers
        KLDivLoss kl kl_divergence focal FocalLoss triplet TripletMarginLoss CTCLoss poisson \
PoissonNLLLoss -> ; it is not among the losses
    """)),
    "activation": tuple(_rows("""
        swish -> silu
        logistic sigm expit -> sigmoid
        lrelu -> leaky_relu
        none linear -> identity
        soft_plus -> softplus
        hyperbolic_tangent -> tanh
        quick_gelu gelu_new -> gelu
        mish hardswish hard_swish celu relu6 prelu hardtanh hard_sigmoid softsign glu \
swiglu maxout -> ; it is not among the activations
        softmax log_softmax -> ; the scores' softmax is `loss: softmax`; layers have none
    """)),
    "normalization": tuple(_rows("""
        BatchNorm batch_norm batchnorm1d BatchNormalization bn BatchNorm2d -> batch
        LayerNorm layer_norm LayerNormalization ln -> layer
        RMSNorm rms_norm RMSNormalization -> rms
        WeightNorm weight_norm WeightNormalization -> weight
        GroupNorm group_norm InstanceNorm instance_norm group instance spectral_norm -> ; \
it is not among the normalizations
    """)),
    "initialization": tuple(_rows("""
        he kaiming kaiming_normal kaiming_normal_ msra HeNormal -> he_normal ; \
or `he_uniform`
        kaiming_uniform kaiming_uniform_ HeUniform -> he_uniform
        glorot xavier glorot_uniform xavier_uniform_ GlorotUniform -> xavier_uniform ; \
or `xavier_normal`
        glorot_normal xavier_normal_ GlorotNormal -> xavier_normal
        lecun -> lecun_normal ; or `lecun_uniform`
        gaussian random_normal randn RandomNormal normal_ random -> {name: normal, std: 0.01}
        random_uniform RandomUniform uniform_ -> {name: uniform, r: 0.1}
        trunc_normal trunc_normal_ TruncatedNormal -> truncated_normal
        zero zeros_ none -> zeros
        ones one ones_ constant_ -> {name: constant, value: 1.0}
        orthogonal_ OrthogonalInitializer ortho -> orthogonal
        sparse_ -> {name: sparse, sparsity: 0.9}
        variance_scaling VarianceScaling -> lecun_normal ; `he_normal`, `xavier_normal` and their \
uniform twins are the other scales
        checkpoint load warm_start -> {name: pretrained, run: runs/other-0123456789}
        lsuv dirac eye -> ; it is not among the initializations
    """)),
    "model": tuple(_rows("""
        LogisticRegression logistic softmax_regression linear_classifier perceptron \
SGDClassifier linear_regression LinearRegression -> linear
        multilayer_perceptron fc ffn feedforward feed_forward dense fully_connected dnn nn neural_\
network MLPClassifier MLPRegressor Sequential net -> {name: mlp, hidden: [128]}
        none parameters function -> point
        cnn conv convnet resnet resnet18 resnet50 wide_resnet vgg lenet lenet5 alexnet vit \
transformer rnn lstm gru -> ; """ + NO_MODEL + """
    """)),
    "dataset": tuple(_rows("""
        cifar CIFAR10 -> cifar10
        digits -> {name: synthetic, kind: glyphs} ; or `mnist`
        two_moons make_moons half_moons -> {name: synthetic, kind: moons}
        make_blobs gaussians gaussian_blobs clusters -> {name: synthetic, kind: blobs}
        make_circles -> {name: synthetic, kind: circles}
        spiral two_spirals -> {name: synthetic, kind: spirals}
        toy -> {name: synthetic, kind: moons}
        cifar100 imagenet svhn fashion_mnist FashionMNIST kmnist emnist tinyimagenet stl10 \
iris wine -> ; """ + NO_DATA + """
    """)),
    "preprocessing": tuple(_rows("""
        normalize normalise normalization StandardScaler zscore z_score standardise standard -> \
standardize
        MinMaxScaler min_max_scale -> min_max
        ToTensor scale divide_by_255 to_float rescaling -> rescale
        mean_subtraction zero_center subtract_mean demean mean_center -> center
        whiten whitening zca -> zca_whiten
        pca PCA -> pca_whiten
        gcn global_contrast_normalization -> contrast_normalize
        flatten -> ; remove it: examples are rows of features
    """)),
    "augmentation": tuple(_rows("""
        flip hflip RandomHorizontalFlip RandomFlip fliplr mirror horizontal -> horizontal_flip
        vflip RandomVerticalFlip flipud -> vertical_flip
        RandomCrop crop -> random_crop
        RandomResizedCrop -> resized_crop
        RandomRotation rotate -> rotation
        translate translation RandomTranslation -> shift
        RandomErasing random_erasing -> erasing
        RandomZoom -> zoom
        RandomShear -> shear
        ColorJitter color_jitter -> ; it is four steps: `brightness`, `contrast`, `saturation`, \
`hue`
        RandomAffine affine -> ; it is four steps: `rotation`, `shift`, `shear`, `zoom`
        noise gaussian -> gaussian_noise
        AutoAugment RandAugment TrivialAugment AugMix GaussianBlur blur -> ; it is not among the \
augmentations
    """)),
    "averaging": tuple(_rows("""
        polyak exponential_moving_average exponential model_ema moving_average -> ema
        AveragedModel stochastic_weight_averaging mean -> swa
    """)),
    "strategy": tuple(_rows("""
        grid_search GridSearchCV exhaustive -> grid
        random_search RandomizedSearchCV randomized -> random
        bayes bayesian bayesian_optimization optuna hyperopt BayesSearchCV TPESampler -> tpe
        gaussian_process GPSampler botorch skopt -> gp
        halving sha HalvingGridSearchCV -> successive_halving
        ASHAScheduler async_hyperband asynchyperband -> asha
        bohb -> hyperband
        pbt population_based_training cmaes -> ; it is not among the strategies
    """)),
    "best_by": tuple(_rows("""
        accuracy acc val_acc valid_accuracy validation_accuracy valid_acc max -> val_accuracy
        loss valid_loss validation_loss min -> val_loss
        none latest final -> last
        train_loss train_accuracy test_accuracy test_loss -> ; epochs are chosen on validation data
    """)),
    "watch": tuple(_rows("""
        accuracy acc val_acc validation_accuracy -> val_accuracy
        loss valid_loss validation_loss -> val_loss
    """)),
    "metric": tuple(_rows("""
        accuracy acc val_acc validation_accuracy -> val_accuracy
        loss valid_loss validation_loss -> val_loss
        test_accuracy test_loss -> ; the test set chooses nothing
    """)),
    "dtype": tuple(_rows("""
        float fp32 f32 single float_32 -> float32
        double fp64 f64 -> float64
        float16 fp16 half bfloat16 bf16 -> ; there are float32 and float64
    """)),
    "batch_size": tuple(_rows("""
        all whole full_batch entire max auto -> full
    """)),
    "mode": tuple(_rows("""
        exponential exp -> exp_range
    """)),
    "anneal": tuple(_rows("""
        cos -> cosine
    """)),
}  # fmt: skip
"""By the key of the config that takes the name or choice."""

SAME_FAMILY = {"base": "optimizer", "otherwise": "initialization"}
"""Keys whose names are those of another."""

SHORTHANDS: dict[str, tuple[str, ...]] = {
    "warmup": (
        "{name: linear, duration: VALUE}",
        "{name: linear, duration: VALUE epochs}",
        "{name: linear, duration: VALUE steps}",
    ),
    "model": ("{name: mlp, hidden: VALUE}", "{name: mlp, hidden: [VALUE]}"),
    "averaging": ("{name: ema, decay: VALUE}",),
    "early_stopping": ("{patience: VALUE}",),
    "regularization": ("{l2: VALUE}",),
    "elastic": ("{strength: VALUE}",),
    "gradient_noise": ("{eta: VALUE}",),
    "adversarial": ("{epsilon: VALUE}",),
    "clipping": ("{by_norm: VALUE}", "{by_value: VALUE}"),
    "training": ("{epochs: VALUE}",),
    "initialization": ("{name: constant, value: VALUE}",),
    "strategy": ("{name: random, samples: VALUE}",),
}
"""What a number or list in place of a section stands for; those that are valid are suggested."""
